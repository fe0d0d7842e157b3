#include "node/resources/write_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/macros.h"
#include "base/parse.h"
#include "codec/seal.h"

#define HOUR_NS (3600 * HF_NS_PER_S)
#define SEAL_KIND "writes"

enum { SEAL_VERSION = 1, RESUME_PERCENT = 95, PART_OF_BUDGET = 8, BOOT_MAX = 64 };

/* Saves cause writes, too. With smaller parts of a budget than this, they would make each other necessary. */
#define PART_MIN_BYTES (64ull << 10)

void hf_write_log_init(struct hf_write_log *log, uint64_t now_ns)
{
    *log = (struct hf_write_log){.hour_ns = now_ns, .saved_ns = now_ns};
}

/* Begins new hours, so that `now_ns` lies in the current one. */
static void turn_hours(struct hf_write_log *log, uint64_t now_ns)
{
    uint64_t passed = (now_ns - HF_MIN(now_ns, log->hour_ns)) / HOUR_NS;
    size_t turns = (size_t)HF_MIN(passed, (uint64_t)HF_WRITE_LOG_HOURS);

    if (turns == 0)
        return;
    memmove(&log->hours[turns], &log->hours[0], (HF_WRITE_LOG_HOURS - turns) * sizeof(log->hours[0]));
    memset(&log->hours[0], 0, turns * sizeof(log->hours[0]));
    log->hour_ns += passed * HOUR_NS;
    log->saved_older = log->is_saved;
}

void hf_write_log_note(struct hf_write_log *log, uint64_t counter, uint64_t now_ns)
{
    uint64_t more = counter >= log->counted ? counter - log->counted : counter;

    turn_hours(log, now_ns);
    log->counted = counter;
    log->grows = more > 0;
    log->noted_ns = now_ns;
    log->hours[0] += more;
    log->unsaved += more;
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
    uint64_t hour_end_ns = log->hour_ns + HOUR_NS;

    if (budget_bytes == 0 || hf_write_log_day(log) == 0)
        return HF_NEVER;
    return log->grows ? HF_MIN(hour_end_ns, log->noted_ns + HF_WRITE_LOG_NOTE_NS) : hour_end_ns;
}

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

    return log->saved_later || HF_MIN(moved, 0 - moved) > HF_WRITE_LOG_LEAP_NS;
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
           (log->saved_older || has_leapt(log, now));
}

int hf_write_log_format(struct hf_write_log *log, const struct hf_write_log_now *now, struct hf_buf *out)
{
    size_t body;
    int r = hf_seal_begin(SEAL_KIND, SEAL_VERSION, out, &body);

    turn_hours(log, now->mono_ns);
    if (r == 0)
        r = hf_buf_addf(out, "time %" PRIu64 "\n", (uint64_t)(now->unix_ns / HF_NS_PER_S));
    if (r == 0)
        r = hf_buf_addf(out, "age %" PRIu64 "\n", (uint64_t)((now->mono_ns - log->hour_ns) / HF_NS_PER_S));
    for (size_t i = 0; r == 0 && i < HF_WRITE_LOG_HOURS; i++)
        r = hf_buf_addf(out, "bytes %" PRIu64 "\n", log->hours[i]);
    if (r == 0 && now->boot[0] != '\0')
        r = hf_buf_addf(out, "boot %s\nmono %" PRIu64 "\nsure %d\n", now->boot, (uint64_t)(now->mono_ns / HF_NS_PER_S),
                        now->sure);
    if (r < 0)
        return r;
    hf_seal_end(out, body, NULL);
    log->unsaved = 0;
    log->saved_ns = now->mono_ns;
    log->is_saved = true;
    log->saved_used_up = log->used_up;
    log->saved_older = log->saved_later = false;
    log->saved_lead = lead_of(now);
    return 0;
}

static bool take_number(struct hf_view *body, const char *name, uint64_t *ret)
{
    char text[24];

    return hf_seal_take(body, name, text, sizeof(text)) && hf_parse_u64(text, 0, UINT64_MAX, ret) == 0;
}

/* Takes the lines about the boot, which a log of an earlier version lacks, and returns for how long no process
 * counted. */
static uint64_t away_s(struct hf_view *body, uint64_t saved_unix_s, const struct hf_write_log_now *now)
{
    uint64_t now_s = now->unix_ns / HF_NS_PER_S, up_s = now->mono_ns / HF_NS_PER_S, mono_s = 0, sure = 0;
    uint64_t by_wall_s = now_s - HF_MIN(now_s, saved_unix_s);
    char boot[BOOT_MAX];

    bool known = hf_seal_take(body, "boot", boot, sizeof(boot)) && take_number(body, "mono", &mono_s) &&
                 take_number(body, "sure", &sure) && now->boot[0] != '\0';
    if (!known)
        return by_wall_s;
    if (strcmp(boot, now->boot) == 0)
        return up_s - HF_MIN(up_s, mono_s);
    return now->sure && sure == 0 ? up_s : HF_MAX(by_wall_s, up_s);
}

int hf_write_log_parse(struct hf_view text, const struct hf_write_log_now *now, struct hf_write_log *log,
                       struct hf_err *err)
{
    struct hf_write_log read = {.counted = log->counted, .saved_ns = now->mono_ns};
    uint64_t time_s = 0, age_s = 0;
    struct hf_view body;
    int r = hf_seal_open(text, SEAL_KIND, SEAL_VERSION, &body, err);

    if (r < 0)
        return hf_err_wrap(err, -EBADMSG, "read the log of writes");
    bool good = take_number(&body, "time", &time_s) && take_number(&body, "age", &age_s);
    for (size_t i = 0; i < HF_WRITE_LOG_HOURS; i++)
        good = good && take_number(&body, "bytes", &read.hours[i]) && read.hours[i] <= UINT64_MAX / 32;
    if (!good)
        return hf_err_set(err, EBADMSG, "the log of writes is damaged");
    uint64_t away = away_s(&body, time_s, now); /* takes lines: not in a macro */
    uint64_t since_s = HF_MIN(away, (uint64_t)HF_WRITE_LOG_HOURS * 3600) + HF_MIN(age_s, (uint64_t)3600);
    uint64_t hours = since_s / 3600;

    read.hour_ns = 0;
    turn_hours(&read, hours * HOUR_NS);
    read.hour_ns = now->mono_ns - HF_MIN(now->mono_ns, since_s % 3600 * HF_NS_PER_S);
    read.is_saved = true;
    read.saved_later = time_s > now->unix_ns / HF_NS_PER_S;
    read.saved_lead = lead_of(now);
    *log = read;
    return 0;
}
