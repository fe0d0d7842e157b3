/* api/field/decode.h - the position of a decoder in an object, and the errors it reports there. Pure.
 *
 * Decoding continues after an error, so that one pass reports every mistake in an object. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/field/issues.h"
#include "codec/json.h"

enum { HF_DECODE_PATH = 160 };

struct hf_field;

struct hf_decode {
    struct hf_issues *issues; /* borrowed */
    char path[HF_DECODE_PATH];
    size_t path_n;
    bool absent;        /* the decoder is inside an absent object: required fields may be missing */
    bool out_of_memory; /* never reset */
    /* Reports `key`, which none of the `fields` of `object` names. NULL: the decoder adds a warning. */
    void (*unknown)(struct hf_decode *decode, const struct hf_field *fields, const char *key, const json_t *object);
};

/* Adds an error at the current path. */
void hf_decode_error(struct hf_decode *decode, const char *format, ...) HF_PRINTF(2, 3);
/* Adds an error at `key` below the current path. */
void hf_decode_error_at(struct hf_decode *decode, const char *key, const char *format, ...) HF_PRINTF(3, 4);

/* Appends `key` ("a"), or the element `index` when key is NULL ("[3]"), to the path. Returns the position for
 * hf_decode_leave(). A path that grows too long is cut. */
size_t hf_decode_enter(struct hf_decode *decode, const char *key, size_t index);
void hf_decode_leave(struct hf_decode *decode, size_t before);

/* Formats a value for an error text: "'text'" cut at 40 bytes, "5", "a list" ... Returns text. */
#define HF_VALUE_TEXT 64
const char *hf_decode_describe(const json_t *value, char text[HF_VALUE_TEXT]);
