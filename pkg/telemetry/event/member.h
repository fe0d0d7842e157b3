/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/event/member.h - reads one number from a JSON object. Pure. */
#pragma once

#include "base/buf.h"

/* Reads the number at `path` in the JSON object `json`. The path "temperature" names a member of the object;
 * "motor.rpm" names the member rpm of the object's member motor. Returns false if the path leads to no finite number.
 * Does not find names that `json` spells with escapes. */
bool hf_member_number(struct hf_view json, struct hf_view path, double *ret_number);
