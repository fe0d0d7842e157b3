/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/format/otlp.h - writes protobuf messages, either as bytes or in their JSON form; the same functions write
 * both forms. Also reads protobuf messages as bytes.
 *
 *     struct hf_otlp w = {.out = &buf, .json = false};
 *     size_t resource = hf_otlp_open(&w, 1, "resource");  ... hf_otlp_close(&w, resource);
 *
 * The bytes follow protobuf.dev/programming-guides/encoding. Each length takes as few bytes as possible;
 * hf_otlp_close() moves the content of a message if the message's length needs more than one byte. The JSON form
 * follows proto3's JSON mapping (64-bit numbers are strings) with the change that OTLP makes (enums are numbers). The
 * caller chooses field numbers and names.
 *
 * Pure. Errors: the member `r` of struct hf_otlp keeps the first failure, and after a failure the functions that write
 * do nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct hf_otlp {
    struct hf_buf *out;
    bool json;
    int r; /* first failure of a function that writes: -E2BIG or -ENOMEM; 0 if there was none */
};

/* Begins a message that is the value of a field. Pass the result to hf_otlp_close() as `start` to end the message. */
size_t hf_otlp_open(struct hf_otlp *w, unsigned field, const char *name);
void hf_otlp_close(struct hf_otlp *w, size_t start);
/* hf_otlp_open_list() begins a repeated field of messages, and hf_otlp_close_list() ends it. In JSON these functions
 * write the brackets of a list; in protobuf they write nothing. hf_otlp_open_item() begins a message in the list, and
 * hf_otlp_close() ends the message. */
void hf_otlp_open_list(struct hf_otlp *w, const char *name);
void hf_otlp_close_list(struct hf_otlp *w);
size_t hf_otlp_open_item(struct hf_otlp *w, unsigned field);

/* Writes a string field. `text` must be valid UTF-8. */
void hf_otlp_string(struct hf_otlp *w, unsigned field, const char *name, struct hf_view text);
void hf_otlp_fixed64(struct hf_otlp *w, unsigned field, const char *name, uint64_t value);
void hf_otlp_double(struct hf_otlp *w, unsigned field, const char *name, double value);
/* Writes a varint field, which protobuf uses for an enum and for a uint32. */
void hf_otlp_number(struct hf_otlp *w, unsigned field, const char *name, uint64_t value);
void hf_otlp_bool(struct hf_otlp *w, unsigned field, const char *name, bool value);
void hf_otlp_sint32(struct hf_otlp *w, unsigned field, const char *name, int32_t value);
void hf_otlp_packed_u64(struct hf_otlp *w, unsigned field, const char *name, const uint64_t *values, size_t n);
/* Writes one attribute of a list of attributes, as a message {key, value: {stringValue}}. */
void hf_otlp_attribute(struct hf_otlp *w, unsigned field, struct hf_view key, struct hf_view value);

/* Reads the next field of a protobuf message and advances *bytes. Sets *ret_value for a varint, and *ret_bytes for a
 * field of any other type. Returns false at the end of the message or if the bytes are damaged. */
bool hf_otlp_read(struct hf_view *bytes, unsigned *ret_field, uint64_t *ret_value, struct hf_view *ret_bytes);
