/* SPDX-License-Identifier: Apache-2.0 */
/* Writes numbers as JSON. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define HF_NUMBER_TEXT 48

/* Returns the length; no zero ends the text. `value` must be finite. */
size_t hf_number_u64(uint64_t value, char text[HF_NUMBER_TEXT]);
size_t hf_number_double(double value, char text[HF_NUMBER_TEXT]);
/* Appends `name`, such as {"count":, and the value; null if it is not finite. */
HF_MUST_USE int hf_number_add(struct hf_buf *out, const char *name, double value);
