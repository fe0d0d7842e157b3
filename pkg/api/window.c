#include <string.h>

#include "api/edgeupdate.h"
#include "api/zone.h"

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

/* The end of the latest-ending occurrence of this window that holds `unix_ns`; 0 when none does. */
static uint64_t end_of_open(const struct hf_window *window, uint64_t unix_ns)
{
    int64_t today = local_day_at(window, unix_ns);
    uint64_t latest = 0;

    for (int64_t day = today - MAX_DAYS_BACK; day <= today; day++) {
        uint64_t begin = start_ns(window, day);
        if ((window->days >> hf_weekday(day) & 1) != 0 && begin <= unix_ns && unix_ns - begin < window->duration_ns)
            latest = HF_MAX(latest, begin + window->duration_ns);
    }
    return latest;
}

static uint64_t next_start(const struct hf_window *window, uint64_t unix_ns)
{
    int64_t today = local_day_at(window, unix_ns);

    for (int64_t day = today; day <= today + MAX_DAYS_AHEAD; day++)
        if ((window->days >> hf_weekday(day) & 1) != 0 && start_ns(window, day) > unix_ns)
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
    /* Windows that touch or overlap are one; a chain that does not end soon is as good as endless. */
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
