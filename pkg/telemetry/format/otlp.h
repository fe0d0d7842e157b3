/* SPDX-License-Identifier: Apache-2.0 */
/* Protobuf messages (protobuf.dev/programming-guides/encoding), or proto3's JSON with OTLP's change (enums are
 * numbers); reads protobuf. Closing moves the content if the length needs more than a byte. Pure. After a failure (`r`)
 * writing does nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct hf_otlp {
    struct hf_buf *out;
    bool json;
    int r; /* -E2BIG, -ENOMEM or 0 */
};

/* Returns `start` for hf_otlp_close(). */
size_t hf_otlp_open(struct hf_otlp *w, unsigned field, const char *name);
void hf_otlp_close(struct hf_otlp *w, size_t start);
/* hf_otlp_close() ends an item. */
void hf_otlp_open_list(struct hf_otlp *w, const char *name);
void hf_otlp_close_list(struct hf_otlp *w);
size_t hf_otlp_open_item(struct hf_otlp *w, unsigned field);

/* Valid UTF-8. */
void hf_otlp_string(struct hf_otlp *w, unsigned field, const char *name, struct hf_view text);
void hf_otlp_fixed64(struct hf_otlp *w, unsigned field, const char *name, uint64_t value);
void hf_otlp_double(struct hf_otlp *w, unsigned field, const char *name, double value);
/* Varint. */
void hf_otlp_number(struct hf_otlp *w, unsigned field, const char *name, uint64_t value);
void hf_otlp_bool(struct hf_otlp *w, unsigned field, const char *name, bool value);
void hf_otlp_sint32(struct hf_otlp *w, unsigned field, const char *name, int32_t value);
void hf_otlp_packed_u64(struct hf_otlp *w, unsigned field, const char *name, const uint64_t *values, size_t n);
/* {key, value: {stringValue}} */
void hf_otlp_attribute(struct hf_otlp *w, unsigned field, struct hf_view key, struct hf_view value);

/* Advances *bytes by a field; *ret_value: a varint, else *ret_bytes. False: the end, or damaged. */
bool hf_otlp_read(struct hf_view *bytes, unsigned *ret_field, uint64_t *ret_value, struct hf_view *ret_bytes);
