/* telemetry/event/number.h - numbers as JSON text without printf where it counts. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define HF_NUMBER_TEXT 48

/* Into text, not terminated; returns the length. */
size_t hf_number_u64(uint64_t value, char text[HF_NUMBER_TEXT]);
/* Finite only. What reads it gets the same double; not always the shortest such text. */
size_t hf_number_double(double value, char text[HF_NUMBER_TEXT]);
/* `name` as it stands, then the value; null when it is not finite. Of JSON: {"name":value. */
HF_MUST_USE int hf_number_add(struct hf_buf *out, const char *name, double value);
