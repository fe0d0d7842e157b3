/* telemetry/format/otlp.h - writes protobuf messages with one set of functions, either as bytes or in their JSON form;
 * reads protobuf messages as bytes.
 *
 *     struct hf_otlp w = {.out = &buf, .json = false};
 *     size_t resource = hf_otlp_open(&w, 1, "resource");  ... hf_otlp_close(&w, resource);
 *
 * The bytes follow protobuf.dev/programming-guides/encoding. Lengths take as few bytes as possible; hf_otlp_close()
 * moves a message's content if its length needs more than one byte. The JSON form follows proto3's mapping (64-bit
 * numbers are strings) with OTLP's change (enums are numbers). The caller chooses field numbers and names.
 *
 * Pure.  Errors: `r` keeps the first failure, and after a failure the functions that write do nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct hf_otlp {
    struct hf_buf *out;
    bool json;
    int r; /* 0, -E2BIG, -ENOMEM */
};

/* Opens a message that is the value of a field. Pass the result to hf_otlp_close() as `start`. */
size_t hf_otlp_open(struct hf_otlp *w, unsigned field, const char *name);
void hf_otlp_close(struct hf_otlp *w, size_t start);
/* Open and close a repeated field of messages. In JSON these write the brackets of a list; in protobuf they write
 * nothing. hf_otlp_open_item() opens a message in the list; close the message with hf_otlp_close(). */
void hf_otlp_open_list(struct hf_otlp *w, const char *name);
void hf_otlp_close_list(struct hf_otlp *w);
size_t hf_otlp_open_item(struct hf_otlp *w, unsigned field);

/* `text` must be valid UTF-8. */
void hf_otlp_string(struct hf_otlp *w, unsigned field, const char *name, struct hf_view text);
void hf_otlp_fixed64(struct hf_otlp *w, unsigned field, const char *name, uint64_t value);
void hf_otlp_double(struct hf_otlp *w, unsigned field, const char *name, double value);
/* Writes a varint, which is the form of an enum and of a uint32. */
void hf_otlp_number(struct hf_otlp *w, unsigned field, const char *name, uint64_t value);
void hf_otlp_bool(struct hf_otlp *w, unsigned field, const char *name, bool value);
void hf_otlp_sint32(struct hf_otlp *w, unsigned field, const char *name, int32_t value);
void hf_otlp_packed_u64(struct hf_otlp *w, unsigned field, const char *name, const uint64_t *values, size_t n);
/* Writes an item of a list of attributes, {key, value: {stringValue}}. */
void hf_otlp_attribute(struct hf_otlp *w, unsigned field, struct hf_view key, struct hf_view value);

/* Reads the next field of a protobuf message and advances *bytes. Sets *ret_value for a varint, and *ret_bytes for a
 * field of any other type. Returns false at the end of the message or if the bytes are damaged. */
bool hf_otlp_read(struct hf_view *bytes, unsigned *ret_field, uint64_t *ret_value, struct hf_view *ret_bytes);
