/* telemetry/event/member.h - reads one number from a JSON object. Pure. */
#pragma once

#include "base/buf.h"

/* Reads the finite number at `path` ("temperature"; "motor.rpm": a member of a member). False: there is none. */
bool hf_member_number(struct hf_view json, struct hf_view path, double *ret_number);
