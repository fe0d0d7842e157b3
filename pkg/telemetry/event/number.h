/* SPDX-License-Identifier: Apache-2.0 */
/* JSON, faster than printf(). Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define HF_NUMBER_TEXT 48

/* Returns the length, without final zero. `value` is finite, and a parser gets it back exactly. */
size_t hf_number_u64(uint64_t value, char text[HF_NUMBER_TEXT]);
size_t hf_number_double(double value, char text[HF_NUMBER_TEXT]);
/* `name`: {"count":. Not finite: null. */
HF_MUST_USE int hf_number_add(struct hf_buf *out, const char *name, double value);
