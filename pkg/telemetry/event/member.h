/* telemetry/event/member.h - reads one number from a JSON object. Pure. */
#pragma once

#include "base/buf.h"

/* Reads the finite number at `path`. "temperature" is a member of the object; "motor.rpm" is the member rpm of the
 * member motor. False: there is no finite number. */
bool hf_member_number(struct hf_view json, struct hf_view path, double *ret_number);
