/* SPDX-License-Identifier: Apache-2.0 */
#include "base/format.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/macros.h"

const char *hf_format_time(uint64_t unix_ns, char text[HF_TIME_TEXT])
{
    time_t seconds = (time_t)(unix_ns / HF_NS_PER_S);
    struct tm tm;

    (void)gmtime_r(&seconds, &tm);
    (void)strftime(text, HF_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return text;
}

const char *hf_format_duration(uint64_t ns, char text[HF_DURATION_TEXT])
{
    uint64_t total_s = ns / HF_NS_PER_S, sub_ns = ns % HF_NS_PER_S;
    size_t used = 0;

    text[0] = '\0';
    if (total_s == 0 && sub_ns != 0) {
        if (sub_ns % HF_NS_PER_MS == 0)
            (void)snprintf(text, HF_DURATION_TEXT, "%ums", (unsigned)(sub_ns / HF_NS_PER_MS));
        else if (sub_ns % HF_NS_PER_US == 0)
            (void)snprintf(text, HF_DURATION_TEXT, "%uus", (unsigned)(sub_ns / HF_NS_PER_US));
        else
            (void)snprintf(text, HF_DURATION_TEXT, "%uns", (unsigned)sub_ns);
        return text;
    }
    const struct {
        const char *name;
        uint64_t size;
    } parts[] = {{"h", total_s / 3600}, {"m", total_s / 60 % 60}};
    for (size_t i = 0; i < HF_LEN(parts); i++)
        if (parts[i].size > 0)
            used += (size_t)snprintf(text + used, HF_DURATION_TEXT - used, "%llu%s", (unsigned long long)parts[i].size,
                                     parts[i].name);
    unsigned seconds = (unsigned)(total_s % 60), ms = (unsigned)(sub_ns / HF_NS_PER_MS);
    if (ms > 0)
        (void)snprintf(text + used, HF_DURATION_TEXT - used, "%u.%03us", seconds, ms);
    else if (seconds > 0 || used == 0)
        (void)snprintf(text + used, HF_DURATION_TEXT - used, "%us", seconds);
    return text;
}
