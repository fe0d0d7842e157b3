/* api/severity.h - severities of events: OpenTelemetry's numbers, syslog's levels mapped onto them. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The first number of each range of OpenTelemetry (logs data model), and numbers between them for the levels of syslog
 * (RFC 5424). */
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

/* Returns the number of hf_severity_name(severity). */
enum hf_severity hf_severity_floor(enum hf_severity severity);

/* Parses the n bytes at `text` as a name of syslog or OpenTelemetry in any case ("warn", "WARNING", "err", "debug2").
 * Returns false if the text is not such a name. */
bool hf_severity_parse(const char *text, size_t n, enum hf_severity *ret_severity);
