/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"

/* Finds a number in JSON: "motor.rpm" is member rpm of member motor. False: not there, no finite number, or a name on
 * the path has escapes. Pure. */
bool hf_member_number(struct hf_view json, struct hf_view path, double *ret_number);
