/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/event/member.h"

#include <math.h>

#include "codec/scan.h"

/* Finds the value of a member. Does not recognise names with escapes. */
static bool find(struct hf_scan *scan, struct hf_view name, struct hf_view *ret)
{
    struct hf_view key;
    bool escaped;

    if (!hf_scan_char(scan, '{') || hf_scan_char(scan, '}'))
        return false;
    do {
        if (hf_scan_text(scan, &key, &escaped) < 0 || !hf_scan_char(scan, ':') || hf_scan_raw(scan, ret) < 0)
            return false;
        if (key.n == name.n && memcmp(key.p, name.p, name.n) == 0)
            return true;
    } while (hf_scan_char(scan, ','));
    return false;
}

bool hf_member_number(struct hf_view json, struct hf_view path, double *ret_number)
{
    struct hf_view name, value = json;

    if (json.n == 0)
        return false;
    while (hf_view_split(&path, '.', &name)) {
        struct hf_scan scan;
        hf_scan_init_loose(&scan, value); /* a source has checked it; an invalid value counts as absent */
        if (!find(&scan, name, &value))
            return false;
    }
    if (value.p[0] != '-' && (value.p[0] < '0' || value.p[0] > '9'))
        return false;
    *ret_number = hf_scan_double(value);
    return isfinite(*ret_number);
}
