/* SPDX-License-Identifier: Apache-2.0 */
/* A decoder's position in an object, and the errors found. Decoding continues after an error: one pass reports
 * several. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/field/issues.h"
#include "codec/json.h"

enum { HF_DECODE_PATH = 160 };

struct hf_field;

struct hf_decode {
    struct hf_issues *issues;
    char path[HF_DECODE_PATH];
    size_t path_n;
    bool absent; /* the object is absent: required fields may be missing */
    bool out_of_memory;
    /* Called for each `key` not in `fields`; NULL: an unknown key is a warning. */
    void (*unknown)(struct hf_decode *decode, const struct hf_field *fields, const char *key, const json_t *object);
};

#define hf_decode_error(decode, ...) hf_issue_error((decode)->issues, (decode)->path, __VA_ARGS__)
void hf_decode_error_at(struct hf_decode *decode, const char *key, const char *format, ...) HF_PRINTF(3, 4);

/* Appends `key`, or "[index]" if NULL, to the path. Returns the length for hf_decode_leave(). */
size_t hf_decode_enter(struct hf_decode *decode, const char *key, size_t index);
void hf_decode_leave(struct hf_decode *decode, size_t before);

/* Describes a value in an error: "5", "a list", a quoted string of at most 40 bytes. Masks URLs: a query may be
 * secret. */
#define HF_VALUE_TEXT 64
const char *hf_decode_describe(const json_t *value, char text[HF_VALUE_TEXT]);
