/* SPDX-License-Identifier: Apache-2.0 */
/* One number for each of 24 hours of the monotonic clock: the sum covers 23 to 24 hours. A saved log continues by that
 * clock in the same boot; after a reboot by the Unix times of save and load, but at least by the time since boot. Only
 * that is used if the load seems earlier than the save, or only the load's time is sure: the clock may have been
 * corrected in between. If only the save's time is sure, the gap stays open until the present is sure: a board without
 * a battery learns the time later. */
#include "node/resources/write_log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/macros.h"

/* A greater leap against the monotonic clock needs a save. */
#define HF_WRITE_LOG_LEAP_NS (600 * HF_NS_PER_S)

#define HOUR_NS (3600 * HF_NS_PER_S)

enum { RESUME_PERCENT = 95, PART_OF_BUDGET = 8, BOOT_MAX = 64 };

/* Saves cause writes, too. With smaller parts of a budget than this, they would make each other necessary. */
#define PART_MIN_BYTES (64ull << 10)

void hf_write_log_init(struct hf_write_log *log, uint64_t now_ns)
{
    *log = (struct hf_write_log){.hour_ns = now_ns, .saved_ns = now_ns};
}

/* Begins new hours, so that `now_ns` lies in the current one. */
static void turn_hours(struct hf_write_log *log, uint64_t now_ns)
{
    int64_t since_ns = (int64_t)(now_ns - log->hour_ns); /* hour_ns may have wrapped, or be later than now_ns */
    uint64_t passed = since_ns > 0 ? (uint64_t)since_ns / HOUR_NS : 0;
    size_t turns = (size_t)HF_MIN(passed, (uint64_t)HF_WRITE_LOG_HOURS);

    if (turns == 0)
        return;
    memmove(&log->hours[turns], &log->hours[0], (HF_WRITE_LOG_HOURS - turns) * sizeof(log->hours[0]));
    memset(&log->hours[0], 0, turns * sizeof(log->hours[0]));
    log->hour_ns += passed * HOUR_NS;
    log->saved_older = log->is_saved;
}

/* Replaces the hours by those of a log that was saved `away_s` ago. */
static void move(struct hf_write_log *log, const struct hf_write_log_saved *saved, uint64_t away_s, uint64_t now_ns)
{
    uint64_t since_s = HF_MIN(away_s, (uint64_t)HF_WRITE_LOG_HOURS * 3600) + HF_MIN(saved->age_s, (uint64_t)3600);

    memcpy(log->hours, saved->hours, sizeof(log->hours));
    log->hour_ns = 0;
    turn_hours(log, since_s / 3600 * HOUR_NS);
    log->hour_ns = now_ns - since_s % 3600 * HF_NS_PER_S;
}

static uint64_t away_by_wall_s(uint64_t saved_unix_s, const struct hf_write_log_now *now)
{
    uint64_t now_s = now->unix_ns / HF_NS_PER_S;

    return now_s - HF_MIN(now_s, saved_unix_s);
}

/* Both times are sure now: that of the save, and the present. */
static void close_gap(struct hf_write_log *log, const struct hf_write_log_now *now)
{
    uint64_t away_s = HF_MAX(away_by_wall_s(log->loaded.unix_s, now), now->mono_ns / HF_NS_PER_S);
    uint64_t since_load = HF_MIN(log->since_load, hf_write_log_day(log)); /* the rest is older than a day */

    move(log, &log->loaded, away_s, now->mono_ns);
    log->hours[0] += since_load;
    log->is_open = false;
}

void hf_write_log_note(struct hf_write_log *log, uint64_t counter, const struct hf_write_log_now *now)
{
    uint64_t more = counter >= log->counted ? counter - log->counted : counter;

    turn_hours(log, now->mono_ns);
    log->counted = counter;
    log->hours[0] += more;
    log->unsaved += more;
    log->since_load += more;
    if (log->is_open && now->sure)
        close_gap(log, now);
}

uint64_t hf_write_log_day(const struct hf_write_log *log)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < HF_WRITE_LOG_HOURS; i++)
        sum += log->hours[i];
    return sum;
}

uint64_t hf_write_log_wait_until_ns(const struct hf_write_log *log, uint64_t budget_bytes)
{
    return budget_bytes == 0 || hf_write_log_day(log) == 0 ? HF_NEVER : log->hour_ns + HOUR_NS;
}

/* Work must not stop and start every hour. */
bool hf_write_log_judge(struct hf_write_log *log, uint64_t budget_bytes)
{
    uint64_t limit = log->used_up ? budget_bytes / 100 * RESUME_PERCENT : budget_bytes;
    uint64_t day = hf_write_log_day(log);

    log->used_up = budget_bytes != 0 && (log->used_up ? day > limit : day >= limit);
    return log->used_up;
}

static uint64_t lead_of(const struct hf_write_log_now *now)
{
    return now->unix_ns - now->mono_ns;
}

static bool has_leapt(const struct hf_write_log *log, const struct hf_write_log_now *now)
{
    uint64_t moved = lead_of(now) - log->saved_lead;

    return log->is_saved && (log->saved_later || HF_MIN(moved, 0 - moved) > HF_WRITE_LOG_LEAP_NS);
}

uint64_t hf_write_log_part(uint64_t budget_bytes)
{
    return HF_MAX(budget_bytes / PART_OF_BUDGET, PART_MIN_BYTES);
}

bool hf_write_log_is_due(const struct hf_write_log *log, uint64_t budget_bytes, const struct hf_write_log_now *now)
{
    uint64_t since_ns = now->mono_ns - HF_MIN(now->mono_ns, log->saved_ns);
    uint64_t part = hf_write_log_part(budget_bytes);

    if (log->unsaved >= HF_WRITE_LOG_SAVE_NOW_BYTES ||
        (log->unsaved >= HF_WRITE_LOG_SAVE_BYTES && since_ns >= HF_WRITE_LOG_SAVE_NS))
        return true;
    if (budget_bytes == 0)
        return false;
    if (log->unsaved >= part || (log->used_up && !log->saved_used_up && log->unsaved > 0))
        return true;
    return log->is_saved && hf_write_log_day(log) >= HF_MIN(part, HF_WRITE_LOG_SAVE_BYTES) &&
           (log->saved_older || (has_leapt(log, now) && now->mono_ns >= log->save_leap_ns));
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* A log, and the clocks of the process that saved it. */
struct log_file {
    struct hf_write_log_saved log;
    char boot[BOOT_MAX]; /* "": unknown, and so are the next two */
    uint64_t mono_s;
    bool sure;
};

#define ROW(name_, member_, ...) HF_RECORD_ROW(struct log_file, name_, member_, ##__VA_ARGS__)

static const struct hf_record_row rows[] = {
    ROW("time", log.unix_s, .required = true),
    ROW("age", log.age_s),
    HF_RECORD_ARRAY(HF_RECORD_UNSIGNED, struct log_file, "bytes", log.hours, HF_RECORD_FULL, .required = true,
                    .max = UINT64_MAX / 32),
    ROW("boot", boot),
    ROW("mono", mono_s),
    ROW("sure", sure),
};

const struct hf_record_type hf_write_log_type = {
    .name = "writes", .version = 2, .size = sizeof(struct log_file), .max_bytes = 2048, .rows = HF_RECORD_ROWS(rows)};

int hf_write_log_format(struct hf_write_log *log, const struct hf_write_log_now *now, struct hf_buf *out)
{
    struct log_file file = {.mono_s = now->mono_ns / HF_NS_PER_S, .sure = now->sure};

    turn_hours(log, now->mono_ns);
    file.log.unix_s = now->unix_ns / HF_NS_PER_S;
    file.log.age_s = (now->mono_ns - log->hour_ns) / HF_NS_PER_S;
    memcpy(file.log.hours, log->hours, sizeof(log->hours));
    (void)snprintf(file.boot, sizeof(file.boot), "%s", now->boot);
    int r = hf_record_format(&hf_write_log_type, &file, out);
    if (r < 0)
        return r;
    if (has_leapt(log, now))
        log->save_leap_ns = now->mono_ns + HF_WRITE_LOG_SAVE_NS;
    log->unsaved = 0;
    log->saved_ns = now->mono_ns;
    log->is_saved = true;
    log->saved_used_up = log->used_up;
    log->saved_older = log->saved_later = false;
    log->saved_lead = lead_of(now);
    return 0;
}

/* Returns for how long no process counted. */
static uint64_t away_s(const struct log_file *saver, const struct hf_write_log_now *now)
{
    uint64_t up_s = now->mono_ns / HF_NS_PER_S, by_wall_s = away_by_wall_s(saver->log.unix_s, now);

    if (saver->boot[0] == '\0' || now->boot[0] == '\0')
        return by_wall_s;
    if (strcmp(saver->boot, now->boot) == 0)
        return up_s - HF_MIN(up_s, saver->mono_s);
    return now->sure && !saver->sure ? up_s : HF_MAX(by_wall_s, up_s);
}

/* Returns true if a present that is sure may show later that the machine was off for another time. */
static bool leaves_open(const struct log_file *saver, const struct hf_write_log_now *now)
{
    return saver->boot[0] != '\0' && now->boot[0] != '\0' && strcmp(saver->boot, now->boot) != 0 && saver->sure &&
           !now->sure;
}

int hf_write_log_parse(struct hf_view text, const struct hf_write_log_now *now, struct hf_write_log *log,
                       struct hf_err *err)
{
    struct hf_write_log read = {.counted = log->counted, .saved_ns = now->mono_ns};
    struct log_file file;

    if (hf_record_parse(&hf_write_log_type, text, &file, err) < 0)
        return hf_err_wrap(err, -EBADMSG, "read the log of writes");
    read.loaded = file.log;
    move(&read, &file.log, away_s(&file, now), now->mono_ns);
    read.is_open = leaves_open(&file, now);
    read.is_saved = true;
    read.saved_older = false;
    read.saved_later = file.log.unix_s > now->unix_ns / HF_NS_PER_S;
    read.saved_lead = lead_of(now);
    *log = read;
    return 0;
}
