/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/event/number.h - formats numbers as JSON text faster than printf(). Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define HF_NUMBER_TEXT 48

/* Formats an integer into `text`, without a terminating zero byte. Returns the length of the text. */
size_t hf_number_u64(uint64_t value, char text[HF_NUMBER_TEXT]);
/* Formats a finite number into `text`, without a terminating zero byte. Returns the length of the text. A JSON parser
 * gets exactly `value` from the text. The text is not always the shortest with this property. */
size_t hf_number_double(double value, char text[HF_NUMBER_TEXT]);
/* Appends `name` without changes, then the value, or null if the value is not finite. `name` is the JSON text that
 * stands before the value, such as {"count":. */
HF_MUST_USE int hf_number_add(struct hf_buf *out, const char *name, double value);
