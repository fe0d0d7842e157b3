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

enum { SEAL_VERSION = 1, RESUME_PERCENT = 95 };

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
}

void hf_write_log_note(struct hf_write_log *log, uint64_t counter, uint64_t now_ns)
{
    uint64_t more = counter >= log->counted ? counter - log->counted : counter;

    turn_hours(log, now_ns);
    log->counted = counter;
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

bool hf_write_log_judge(struct hf_write_log *log, uint64_t budget_bytes)
{
    uint64_t limit = log->used_up ? budget_bytes / 100 * RESUME_PERCENT : budget_bytes;
    uint64_t day = hf_write_log_day(log);

    log->used_up = budget_bytes != 0 && (log->used_up ? day > limit : day >= limit);
    return log->used_up;
}

bool hf_write_log_is_due(const struct hf_write_log *log, uint64_t now_ns)
{
    uint64_t since_ns = now_ns - HF_MIN(now_ns, log->saved_ns);

    return log->unsaved >= HF_WRITE_LOG_SAVE_NOW_BYTES ||
           (log->unsaved >= HF_WRITE_LOG_SAVE_BYTES && since_ns >= HF_WRITE_LOG_SAVE_NS);
}

int hf_write_log_format(struct hf_write_log *log, uint64_t unix_ns, uint64_t now_ns, struct hf_buf *out)
{
    size_t body;
    int r = hf_seal_begin(SEAL_KIND, SEAL_VERSION, out, &body);

    turn_hours(log, now_ns);
    if (r == 0)
        r = hf_buf_addf(out, "time %" PRIu64 "\n", (uint64_t)(unix_ns / HF_NS_PER_S));
    if (r == 0)
        r = hf_buf_addf(out, "age %" PRIu64 "\n", (uint64_t)((now_ns - log->hour_ns) / HF_NS_PER_S));
    for (size_t i = 0; r == 0 && i < HF_WRITE_LOG_HOURS; i++)
        r = hf_buf_addf(out, "bytes %" PRIu64 "\n", log->hours[i]);
    if (r < 0)
        return r;
    hf_seal_end(out, body, NULL);
    log->unsaved = 0;
    log->saved_ns = now_ns;
    return 0;
}

static bool take_number(struct hf_view *body, const char *name, uint64_t *ret)
{
    char text[24];

    return hf_seal_take(body, name, text, sizeof(text)) && hf_parse_u64(text, 0, UINT64_MAX, ret) == 0;
}

int hf_write_log_parse(struct hf_view text, uint64_t unix_ns, uint64_t now_ns, struct hf_write_log *log,
                       struct hf_err *err)
{
    struct hf_write_log read = {.counted = log->counted, .saved_ns = now_ns};
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
    uint64_t now_s = unix_ns / HF_NS_PER_S;
    uint64_t away_s = now_s - HF_MIN(now_s, time_s);
    uint64_t since_s = HF_MIN(away_s, (uint64_t)HF_WRITE_LOG_HOURS * 3600) + HF_MIN(age_s, (uint64_t)3600);
    uint64_t hours = since_s / 3600;

    read.hour_ns = 0;
    turn_hours(&read, hours * HOUR_NS);
    read.hour_ns = now_ns - HF_MIN(now_ns, since_s % 3600 * HF_NS_PER_S);
    *log = read;
    return 0;
}
