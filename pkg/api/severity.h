/* SPDX-License-Identifier: Apache-2.0 */
/* Severities of events, numbered as in OpenTelemetry's logs data model, by the first number of a range there; syslog's
 * own levels are inside a range. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum hf_severity {
    HF_SEVERITY_TRACE = 1,
    HF_SEVERITY_DEBUG = 5,
    HF_SEVERITY_INFO = 9,
    HF_SEVERITY_NOTICE = 10,
    HF_SEVERITY_WARNING = 13,
    HF_SEVERITY_ERROR = 17,
    HF_SEVERITY_CRITICAL = 18,
    HF_SEVERITY_ALERT = 19,
    HF_SEVERITY_EMERGENCY = 21,
};

/* A number between two constants has the lower constant's name; 0 has "info". */
const char *hf_severity_name(enum hf_severity severity);

/* Returns the equal or next lower constant; for 0, HF_SEVERITY_INFO. */
enum hf_severity hf_severity_floor(enum hf_severity severity);

/* Parses a name of syslog or OpenTelemetry in any case: "warn", "WARNING", "err", "debug2". */
bool hf_severity_parse(const char *text, size_t n, enum hf_severity *ret_severity);
