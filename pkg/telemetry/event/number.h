/* telemetry/event/number.h - numbers as JSON text, without printf where speed matters. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define HF_NUMBER_TEXT 48

/* Formats into text, without a terminator; returns the length. */
size_t hf_number_u64(uint64_t value, char text[HF_NUMBER_TEXT]);
/* Formats a finite number, so that a JSON parser gets the same double; not always the shortest such text. */
size_t hf_number_double(double value, char text[HF_NUMBER_TEXT]);
/* Appends `name` unchanged, then the value (null if it is not finite). `name` holds the JSON before the value, as in
 * {"count":. */
HF_MUST_USE int hf_number_add(struct hf_buf *out, const char *name, double value);
