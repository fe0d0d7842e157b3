/* SPDX-License-Identifier: Apache-2.0 */
/* Writes protobuf messages (protobuf.dev/programming-guides/encoding) or their JSON as OTLP has it (enums are numbers);
 * reads protobuf. Pure. After a failure (`r`) writing does nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct hf_otlp {
    struct hf_buf *out;
    bool json;
    int r;
};

size_t hf_otlp_open(struct hf_otlp *w, unsigned field, const char *name);
void hf_otlp_close(struct hf_otlp *w, size_t start);
void hf_otlp_open_list(struct hf_otlp *w, const char *name);
void hf_otlp_close_list(struct hf_otlp *w);
size_t hf_otlp_open_item(struct hf_otlp *w, unsigned field);

/* `text` must be valid UTF-8. */
void hf_otlp_string(struct hf_otlp *w, unsigned field, const char *name, struct hf_view text);
void hf_otlp_fixed64(struct hf_otlp *w, unsigned field, const char *name, uint64_t value);
void hf_otlp_double(struct hf_otlp *w, unsigned field, const char *name, double value);
void hf_otlp_number(struct hf_otlp *w, unsigned field, const char *name, uint64_t value);
void hf_otlp_bool(struct hf_otlp *w, unsigned field, const char *name, bool value);
void hf_otlp_sint32(struct hf_otlp *w, unsigned field, const char *name, int32_t value);
void hf_otlp_packed_u64(struct hf_otlp *w, unsigned field, const char *name, const uint64_t *values, size_t n);
/* Writes {key, value: {stringValue}}. */
void hf_otlp_attribute(struct hf_otlp *w, unsigned field, struct hf_view key, struct hf_view value);

/* Reads a field and moves *bytes behind it; *ret_value is a varint, *ret_bytes other content. False: the end, or
 * damaged. */
bool hf_otlp_read(struct hf_view *bytes, unsigned *ret_field, uint64_t *ret_value, struct hf_view *ret_bytes);
