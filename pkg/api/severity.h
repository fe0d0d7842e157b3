/* SPDX-License-Identifier: Apache-2.0 */
/* api/severity.h - the severities of events, numbered as in OpenTelemetry, with further numbers for the levels of
 * syslog. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* TRACE, DEBUG, INFO, WARNING, ERROR and EMERGENCY are the first numbers of the severity ranges of OpenTelemetry's logs
 * data model. The other numbers, inside these ranges, stand for levels that only syslog (RFC 5424) has. */
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

/* Returns the name, such as "warning". A number between two named numbers gets the name of the lower number; 0 is
 * "info". */
const char *hf_severity_name(enum hf_severity severity);

/* Rounds a severity down to a constant of the enum: the constant whose name is hf_severity_name(severity). 0 gives
 * HF_SEVERITY_INFO. */
enum hf_severity hf_severity_floor(enum hf_severity severity);

/* Parses the n bytes at `text` as the name of a severity of syslog or OpenTelemetry, in upper or lower case ("warn",
 * "WARNING", "err", "debug2"). Returns false if the text is not such a name. */
bool hf_severity_parse(const char *text, size_t n, enum hf_severity *ret_severity);
