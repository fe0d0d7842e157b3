/* SPDX-License-Identifier: Apache-2.0 */
#include "api/window.h"

#include <errno.h>
#include <string.h>

#include "api/field/text.h"
#include "api/zone.h"

#define HF_MAX_WINDOW_NS (7 * 86400 * HF_NS_PER_S)

/* ---- decoding ---------------------------------------------------------------------------------------------------- */

static void decode_days(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value, void *slot)
{
    static const char *const names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    unsigned days = 0;
    char shown[HF_VALUE_TEXT];

    if (!json_is_array(value) || json_array_size(value) == 0 || json_array_size(value) > HF_LEN(names)) {
        hf_decode_error(decode, "expected a list of 1 to 7 days, got %s", hf_decode_describe(value, shown));
        return;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *name = json_string_value(json_array_get(value, i));
        size_t before = hf_decode_enter(decode, NULL, i), day = 0;

        while (day < HF_LEN(names) && (name == NULL || strcmp(name, names[day]) != 0))
            day++;
        if (day == HF_LEN(names))
            hf_decode_error(decode, "expected one of Mon Tue Wed Thu Fri Sat Sun, got %s",
                            hf_decode_describe(json_array_get(value, i), shown));
        else if ((days >> day & 1) != 0)
            hf_decode_error(decode, "%s occurs twice", name);
        days |= day < HF_LEN(names) ? 1u << day : 0;
        hf_decode_leave(decode, before);
    }
    *(unsigned *)slot = days;
}

static void decode_start(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value, void *slot)
{
    const char *text = json_string_value(value);
    char shown[HF_VALUE_TEXT];

    if (text == NULL || !hf_text_is_clock_time(text)) {
        hf_decode_error(decode, "expected a time such as \"02:00\", got %s", hf_decode_describe(value, shown));
        return;
    }
    *(unsigned *)slot =
        (unsigned)(((text[0] - '0') * 10 + text[1] - '0') * 3600 + ((text[3] - '0') * 10 + text[4] - '0') * 60);
}

const struct hf_field hf_window_fields[] = {
    HF_FIELD_OF(HF_KIND_OTHER, struct hf_window, days, "days", .decode = decode_days),
    HF_FIELD_OF(HF_KIND_OTHER, struct hf_window, start_s, "start", .decode = decode_start, HF_REQUIRED),
    HF_FIELD_DURATION(struct hf_window, duration_ns, "duration", NULL, 60 * HF_NS_PER_S, HF_MAX_WINDOW_NS, HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_window, time_zone, "timeZone", 1, 64, hf_text_is_time_zone,
                  "a time zone such as Europe/Berlin", .fallback = "UTC"),
    {0}};

void hf_window_finish(struct hf_decode *decode, void *object, json_t *json)
{
    struct hf_window *window = object;
    int r = 0;

    if (json_object_get(json, "days") == NULL)
        window->days = 0x7f;
    if (window->time_zone != NULL)
        r = hf_zone_load(window->time_zone, &window->zone, NULL);
    if (r == -ENOMEM)
        decode->out_of_memory = true;
    else if (r < 0)
        hf_decode_error_at(decode, "timeZone", "this machine has no time zone '%s' (is tzdata installed?)",
                           window->time_zone);
}

/* ---- open or closed ---------------------------------------------------------------------------------------------- */

enum { DAY_S = 86400, MAX_DAYS_BACK = 8, MAX_DAYS_AHEAD = 9, MAX_JOINTS = 64 };

static int64_t floor_day(int64_t s)
{
    return s / DAY_S - (s % DAY_S < 0);
}

static uint64_t start_ns(const struct hf_window *window, int64_t local_day)
{
    int64_t s = hf_zone_unix_s(window->zone, local_day * DAY_S + window->start_s);

    return s > 0 ? (uint64_t)s * HF_NS_PER_S : 0;
}

static int64_t local_day_at(const struct hf_window *window, uint64_t unix_ns)
{
    int64_t s = (int64_t)(unix_ns / HF_NS_PER_S);

    return floor_day(s + hf_zone_offset_s(window->zone, s));
}

/* Returns the latest end of the occurrences of this window that contain `unix_ns`; 0: there are none. */
static uint64_t end_of_open(const struct hf_window *window, uint64_t unix_ns)
{
    int64_t today = local_day_at(window, unix_ns);
    uint64_t latest = 0;

    for (int64_t day = today - MAX_DAYS_BACK; day <= today; day++) {
        uint64_t begin = start_ns(window, day);
        if ((window->days >> hf_zone_weekday(day) & 1) != 0 && begin <= unix_ns &&
            unix_ns - begin < window->duration_ns)
            latest = HF_MAX(latest, begin + window->duration_ns);
    }
    return latest;
}

static uint64_t next_start(const struct hf_window *window, uint64_t unix_ns)
{
    int64_t today = local_day_at(window, unix_ns);

    for (int64_t day = today; day <= today + MAX_DAYS_AHEAD; day++)
        if ((window->days >> hf_zone_weekday(day) & 1) != 0 && start_ns(window, day) > unix_ns)
            return start_ns(window, day);
    return HF_NEVER;
}

static uint64_t latest_end(const struct hf_window *windows, size_t n, uint64_t unix_ns)
{
    uint64_t end = 0;

    for (size_t i = 0; i < n; i++)
        end = HF_MAX(end, end_of_open(&windows[i], unix_ns));
    return end;
}

bool hf_windows_open(const struct hf_window *windows, size_t n, uint64_t unix_ns, uint64_t *ret_next_unix_ns)
{
    uint64_t end = n > 0 ? latest_end(windows, n, unix_ns) : HF_NEVER, next = HF_NEVER;
    bool open = end > 0;

    if (!open)
        for (size_t i = 0; i < n; i++)
            next = HF_MIN(next, next_start(&windows[i], unix_ns));
    /* Windows that touch or overlap count as one. A chain that does not end soon counts as endless. */
    for (int joint = 0; open && n > 0 && joint < MAX_JOINTS; joint++) {
        uint64_t later = latest_end(windows, n, end);
        if (later == 0) {
            next = end;
            break;
        }
        end = later;
    }
    if (ret_next_unix_ns != NULL)
        *ret_next_unix_ns = next;
    return open;
}

enum hf_time_answer hf_windows_judge(const struct hf_window *windows, size_t n, const struct hf_time_range *range,
                                     uint64_t *ret_wait_ns)
{
    uint64_t first, last, next;

    *ret_wait_ns = HF_NEVER;
    if (n == 0)
        return HF_TIME_YES;
    if (range->agreement == HF_TIME_UNKNOWN)
        return HF_TIME_UNSURE;
    hf_time_span(range, &first, &last);
    bool open = hf_windows_open(windows, n, first, &next), whole = last < next;
    bool short_ = last - first <= HF_WINDOW_EDGE_NS;
    if (next == HF_NEVER)
        return open ? HF_TIME_YES : HF_TIME_NO;
    *ret_wait_ns = whole && (open || !short_) ? next - last : next - first;
    if (whole)
        return open ? HF_TIME_YES : HF_TIME_NO;
    return short_ ? HF_TIME_NO : HF_TIME_UNSURE;
}
