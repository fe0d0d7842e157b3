/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as JSON, faster than printf(). Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define HF_NUMBER_TEXT 48

/* Length, no final zero. A JSON parser gets `value` back exactly; finite only. */
size_t hf_number_u64(uint64_t value, char text[HF_NUMBER_TEXT]);
size_t hf_number_double(double value, char text[HF_NUMBER_TEXT]);
/* `name`: text before the value: {"count":. Not finite: null. */
HF_MUST_USE int hf_number_add(struct hf_buf *out, const char *name, double value);
