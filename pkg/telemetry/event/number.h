/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/event/number.h - formats numbers as JSON text faster than printf(). Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define HF_NUMBER_TEXT 48

/* These return the length; no terminating zero. A JSON parser gets exactly `value` back; `value` must be finite. */
size_t hf_number_u64(uint64_t value, char text[HF_NUMBER_TEXT]);
size_t hf_number_double(double value, char text[HF_NUMBER_TEXT]);
/* `name` is the JSON text before the value: {"count":. A value that is not finite becomes null. */
HF_MUST_USE int hf_number_add(struct hf_buf *out, const char *name, double value);
