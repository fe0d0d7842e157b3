/* SPDX-License-Identifier: Apache-2.0 */
/* api/field/decode.h - the state of a decoder: its position in an object, and the errors that it reports at this
 * position. Pure.
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
    struct hf_issues *issues; /* list to which the decoder adds errors and warnings; borrowed */
    char path[HF_DECODE_PATH];
    size_t path_n;
    bool absent;        /* true while the decoder is inside an absent object, where required fields may be missing */
    bool out_of_memory; /* true if memory ran out during the decoding */
    /* Called to report each `key` of `object` that is not in `fields`. If the pointer is NULL, the decoder adds a
     * warning about the key. */
    void (*unknown)(struct hf_decode *decode, const struct hf_field *fields, const char *key, const json_t *object);
};

/* Adds an error at the current path. */
void hf_decode_error(struct hf_decode *decode, const char *format, ...) HF_PRINTF(2, 3);
/* Adds an error at `key` below the current path. */
void hf_decode_error_at(struct hf_decode *decode, const char *key, const char *format, ...) HF_PRINTF(3, 4);

/* Appends a member to the path: `key`, such as "a". If `key` is NULL, appends the element `index` instead, such as
 * "[3]". Returns the previous length of the path, which hf_decode_leave() needs. Cuts a path that grows too long. */
size_t hf_decode_enter(struct hf_decode *decode, const char *key, size_t index);
void hf_decode_leave(struct hf_decode *decode, size_t before);

/* Writes a description of a value for an error text, such as "5" or "a list", into `text`. Quotes a string and cuts it
 * at 40 bytes; masks a URL, because its query may be a secret. Returns `text`. */
#define HF_VALUE_TEXT 64
const char *hf_decode_describe(const json_t *value, char text[HF_VALUE_TEXT]);
