/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"

/* "motor.rpm" names the member rpm of the member motor. False: no finite number, or a name on the way has escapes.
 * Pure. */
bool hf_member_number(struct hf_view json, struct hf_view path, double *ret_number);
