/* telemetry/format/otlp.h - writing protobuf messages, as bytes or in their JSON form, with one set of calls.
 *
 *     struct hf_otlp w = {.out = &buf, .json = false};
 *     size_t resource = hf_otlp_open(&w, 1, "resource");  ... hf_otlp_close(&w, resource);
 *
 * Encoding: protobuf.dev/programming-guides/encoding (lengths are minimal: what follows is moved when one needs a second byte); JSON:
 * the proto3 mapping (64-bit numbers are strings) as OTLP changes it (enums are numbers). Field numbers are the caller's. The first
 * failure sticks in `r`. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct hf_otlp {
    struct hf_buf *out;
    bool json;
    int r; /* 0, -E2BIG, -ENOMEM */
};

/* A message in a field; what is returned is for close. */
size_t hf_otlp_open(struct hf_otlp *w, unsigned field, const char *name);
void hf_otlp_close(struct hf_otlp *w, size_t mark);
/* Repeated messages: a list around items in JSON, nothing in bytes. */
void hf_otlp_open_list(struct hf_otlp *w, const char *name);
void hf_otlp_close_list(struct hf_otlp *w);
size_t hf_otlp_open_item(struct hf_otlp *w, unsigned field);

void hf_otlp_string(struct hf_otlp *w, unsigned field, const char *name, struct hf_view text); /* valid UTF-8 */
void hf_otlp_fixed64(struct hf_otlp *w, unsigned field, const char *name, uint64_t value);
void hf_otlp_double(struct hf_otlp *w, unsigned field, const char *name, double value);
void hf_otlp_number(struct hf_otlp *w, unsigned field, const char *name, uint64_t value); /* enum, uint32, bool */
void hf_otlp_bool(struct hf_otlp *w, unsigned field, const char *name, bool value);
void hf_otlp_sint32(struct hf_otlp *w, unsigned field, const char *name, int32_t value);
void hf_otlp_packed_u64(struct hf_otlp *w, unsigned field, const char *name, const uint64_t *values, size_t n);
/* {key, value: {stringValue}} as an item of an attribute list. */
void hf_otlp_attribute(struct hf_otlp *w, unsigned field, struct hf_view key, struct hf_view value);

/* Read one field from *bytes: false at the end or when it is damaged. *ret_value: of numbers; *ret_bytes: of what has a length. */
bool hf_otlp_read(struct hf_view *bytes, unsigned *ret_field, uint64_t *ret_value, struct hf_view *ret_bytes);
