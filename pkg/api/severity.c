/* SPDX-License-Identifier: Apache-2.0 */
#include "api/severity.h"

#include <string.h>
#include <strings.h>

#include "base/macros.h"

static const struct {
    const char *name;
    enum hf_severity severity;
} names[] = {
    /* The first of several names for one number is the one to write. */
    {"trace", HF_SEVERITY_TRACE},        {"debug", HF_SEVERITY_DEBUG},      {"info", HF_SEVERITY_INFO},
    {"notice", HF_SEVERITY_NOTICE},      {"warning", HF_SEVERITY_WARNING},  {"error", HF_SEVERITY_ERROR},
    {"critical", HF_SEVERITY_CRITICAL},  {"alert", HF_SEVERITY_ALERT},      {"emergency", HF_SEVERITY_EMERGENCY},
    {"informational", HF_SEVERITY_INFO}, {"information", HF_SEVERITY_INFO}, {"warn", HF_SEVERITY_WARNING},
    {"err", HF_SEVERITY_ERROR},          {"crit", HF_SEVERITY_CRITICAL},    {"emerg", HF_SEVERITY_EMERGENCY},
    {"panic", HF_SEVERITY_EMERGENCY},    {"fatal", HF_SEVERITY_EMERGENCY},
};
enum { WRITTEN = 9, STEPS = 4 };

static size_t row_of(enum hf_severity severity)
{
    size_t i = WRITTEN - 1;

    if (severity == 0)
        severity = HF_SEVERITY_INFO;
    while (i > 0 && names[i].severity > severity)
        i--;
    return i;
}

const char *hf_severity_name(enum hf_severity severity)
{
    return names[row_of(severity)].name;
}

enum hf_severity hf_severity_floor(enum hf_severity severity)
{
    return names[row_of(severity)].severity;
}

/* Takes the number inside a range of OpenTelemetry off the end: "debug2" .. "debug4". */
static unsigned take_step(const char *text, size_t *n)
{
    unsigned step = *n > 1 && text[*n - 1] >= '2' && text[*n - 1] < '1' + STEPS ? (unsigned)(text[*n - 1] - '1') : 0;

    *n -= step > 0;
    return step;
}

bool hf_severity_parse(const char *text, size_t n, enum hf_severity *ret_severity)
{
    unsigned step = take_step(text, &n);

    for (size_t i = 0; i < HF_LEN(names); i++) {
        if (strlen(names[i].name) != n || strncasecmp(names[i].name, text, n) != 0)
            continue;
        if (step > 0 && (unsigned)names[i].severity % STEPS != 1)
            return false;
        *ret_severity = (enum hf_severity)((unsigned)names[i].severity + step);
        return true;
    }
    return false;
}
