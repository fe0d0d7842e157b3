/* telemetry/format/otlp.h - writes protobuf messages as bytes or in their JSON form, with one set of calls; reads them
 * as bytes.
 *
 *     struct hf_otlp w = {.out = &buf, .json = false};
 *     size_t resource = hf_otlp_open(&w, 1, "resource");  ... hf_otlp_close(&w, resource);
 *
 * Bytes follow protobuf.dev/programming-guides/encoding. Lengths are minimal: closing a message moves its content if
 * the length needs a second byte. JSON follows the proto3 mapping (64-bit numbers are strings) as OTLP changes it
 * (enums are numbers). The caller chooses field numbers and names.
 *
 * Pure.  Errors: the first failure stays in `r`, and later calls do nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct hf_otlp {
    struct hf_buf *out;
    bool json;
    int r; /* 0, -E2BIG, -ENOMEM */
};

/* Opens a message in a field; pass the result to hf_otlp_close(). */
size_t hf_otlp_open(struct hf_otlp *w, unsigned field, const char *name);
void hf_otlp_close(struct hf_otlp *w, size_t start);
/* Open and close a repeated field of messages: a list around the items in JSON, no bytes in protobuf. */
void hf_otlp_open_list(struct hf_otlp *w, const char *name);
void hf_otlp_close_list(struct hf_otlp *w);
size_t hf_otlp_open_item(struct hf_otlp *w, unsigned field);

/* `text` must be valid UTF-8. */
void hf_otlp_string(struct hf_otlp *w, unsigned field, const char *name, struct hf_view text);
void hf_otlp_fixed64(struct hf_otlp *w, unsigned field, const char *name, uint64_t value);
void hf_otlp_double(struct hf_otlp *w, unsigned field, const char *name, double value);
/* Writes a varint: enum or uint32. */
void hf_otlp_number(struct hf_otlp *w, unsigned field, const char *name, uint64_t value);
void hf_otlp_bool(struct hf_otlp *w, unsigned field, const char *name, bool value);
void hf_otlp_sint32(struct hf_otlp *w, unsigned field, const char *name, int32_t value);
void hf_otlp_packed_u64(struct hf_otlp *w, unsigned field, const char *name, const uint64_t *values, size_t n);
/* Writes {key, value: {stringValue}}, an item of an attribute list. */
void hf_otlp_attribute(struct hf_otlp *w, unsigned field, struct hf_view key, struct hf_view value);

/* Reads the next field of a protobuf message and advances *bytes; false at the end or if the bytes are damaged. Sets
 * *ret_value for a varint, *ret_bytes for all others. */
bool hf_otlp_read(struct hf_view *bytes, unsigned *ret_field, uint64_t *ret_value, struct hf_view *ret_bytes);
