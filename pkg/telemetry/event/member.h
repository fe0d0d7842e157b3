/* telemetry/event/member.h - one number out of a payload. Pure. */
#pragma once

#include "base/buf.h"

/* The finite number at `path` ("temperature", "motor.rpm": a member of a member) of a JSON object. False: none there. */
bool hf_member_number(struct hf_view json, struct hf_view path, double *ret_number);
