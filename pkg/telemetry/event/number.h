/* telemetry/event/number.h - formats numbers as JSON text, without printf where speed matters. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define HF_NUMBER_TEXT 48

/* Formats into text, without a terminator; returns the length. */
size_t hf_number_u64(uint64_t value, char text[HF_NUMBER_TEXT]);
/* Formats a finite number, without a terminator; returns the length. A JSON parser reads exactly `value` from the text,
 * which is not always the shortest such text. */
size_t hf_number_double(double value, char text[HF_NUMBER_TEXT]);
/* Appends `name` and then the value, or null if the value is not finite. `name` is the JSON text before the value, such
 * as {"count": and stays unchanged. */
HF_MUST_USE int hf_number_add(struct hf_buf *out, const char *name, double value);
