/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that the agent wrote in 24 hours, for spec.disk.writeBudget. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "codec/state/record.h"

enum { HF_WRITE_LOG_HOURS = 24 };

/* Save when SAVE_BYTES are unsaved for SAVE_NS, or SAVE_NOW_BYTES at once. */
#define HF_WRITE_LOG_SAVE_BYTES (1ull << 20)
#define HF_WRITE_LOG_SAVE_NOW_BYTES (32ull << 20)
#define HF_WRITE_LOG_SAVE_NS (600 * HF_NS_PER_S)

struct hf_write_log_now {
    uint64_t mono_ns;
    uint64_t unix_ns;
    bool sure;        /* hf_clock_is_sure() */
    const char *boot; /* or "" */
};

/* A log that was saved in an earlier boot. */
struct hf_write_log_saved {
    uint64_t hours[HF_WRITE_LOG_HOURS];
    uint64_t unix_s;
    uint64_t age_s; /* of its current hour */
};

struct hf_write_log {
    uint64_t hours[HF_WRITE_LOG_HOURS]; /* [0]: current */
    uint64_t hour_ns;                   /* wraps */
    uint64_t counted;                   /* at the note */
    uint64_t unsaved;                   /* since the save */
    uint64_t saved_ns;                  /* or start */
    bool used_up;
    /* as saved: */
    bool is_saved;
    bool saved_used_up;
    bool saved_older;      /* an hour has ended since */
    bool saved_later;      /* than now */
    uint64_t saved_lead;   /* unix_ns - mono_ns; wraps */
    uint64_t save_leap_ns; /* another leap saves then */
    bool is_open;          /* for how long the machine was off */
    struct hf_write_log_saved loaded;
    uint64_t since_load; /* bytes */
};

void hf_write_log_init(struct hf_write_log *log, uint64_t now_ns);

/* `counter`: bytes of the process since its start; lower: a new process. */
void hf_write_log_note(struct hf_write_log *log, uint64_t counter, const struct hf_write_log_now *now);

/* Monotonic time at which the sum may fall, or HF_NEVER. */
uint64_t hf_write_log_wait_until_ns(const struct hf_write_log *log, uint64_t budget_bytes);

uint64_t hf_write_log_day(const struct hf_write_log *log);

/* Once used up, true until at most 95 % are used. 0: no budget. */
bool hf_write_log_judge(struct hf_write_log *log, uint64_t budget_bytes);

/* Bytes between saves: an eighth of the budget, but more than saves write. */
uint64_t hf_write_log_part(uint64_t budget_bytes);

/* Save is due by the limits above; with a budget after each part and at its end; with so many bytes in the day, when an
 * hour ends or time leaps (leaps once in HF_WRITE_LOG_SAVE_NS). */
bool hf_write_log_is_due(const struct hf_write_log *log, uint64_t budget_bytes, const struct hf_write_log_now *now);

extern const struct hf_record_type hf_write_log_type; /* its struct is private */

/* Counts all as saved. */
HF_MUST_USE int hf_write_log_format(struct hf_write_log *log, const struct hf_write_log_now *now, struct hf_buf *out);

/* Reads a log and moves it to the present. -EBADMSG: damaged; *log is unchanged. */
HF_MUST_USE int hf_write_log_parse(struct hf_view text, const struct hf_write_log_now *now, struct hf_write_log *log,
                                   struct hf_err *err);
