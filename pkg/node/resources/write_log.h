/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the bytes that the agent wrote within 24 hours, for spec.disk.writeBudget. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "codec/state/record.h"

enum { HF_WRITE_LOG_HOURS = 24 };

/* Save when SAVE_NOW_BYTES are unsaved, or SAVE_BYTES when the last save was SAVE_NS ago. */
#define HF_WRITE_LOG_SAVE_BYTES (1ull << 20)
#define HF_WRITE_LOG_SAVE_NOW_BYTES (32ull << 20)
#define HF_WRITE_LOG_SAVE_NS (600 * HF_NS_PER_S)

struct hf_write_log_now {
    uint64_t mono_ns;
    uint64_t unix_ns;
    bool sure;        /* hf_clock_is_sure() */
    const char *boot; /* boot id, or "" */
};

struct hf_write_log_saved {
    uint64_t hours[HF_WRITE_LOG_HOURS];
    uint64_t unix_s;
    uint64_t age_s; /* age of the current hour */
};

struct hf_write_log {
    uint64_t hours[HF_WRITE_LOG_HOURS]; /* [0]: the current hour */
    uint64_t hour_ns;                   /* start of the current hour */
    uint64_t counted;
    uint64_t unsaved;
    uint64_t saved_ns; /* time of the last save, or start */
    bool used_up;
    /* about the last save: */
    bool is_saved;
    bool saved_used_up;
    bool saved_older;
    bool saved_later;
    uint64_t saved_lead;
    uint64_t save_leap_ns;
    bool is_open; /* how long the machine was off is not known yet */
    struct hf_write_log_saved loaded;
    uint64_t since_load;
};

void hf_write_log_init(struct hf_write_log *log, uint64_t now_ns);

/* Adds what was written since the last note. `counter`: bytes that this process wrote. */
void hf_write_log_note(struct hf_write_log *log, uint64_t counter, const struct hf_write_log_now *now);

/* Returns when the sum may fall (monotonic), or HF_NEVER. */
uint64_t hf_write_log_wait_until_ns(const struct hf_write_log *log, uint64_t budget_bytes);

uint64_t hf_write_log_day(const struct hf_write_log *log);

/* Whether the budget is used up. Once true, it stays so until at most 95 % are used. 0: no budget. */
bool hf_write_log_judge(struct hf_write_log *log, uint64_t budget_bytes);

/* Returns how many bytes may be written between two saves: an eighth of the budget, at least 64 KiB. */
uint64_t hf_write_log_part(uint64_t budget_bytes);

/* Whether a save is due: by the limits above; with a budget also after each part of it, when it is used up, and
 * maybe when an hour ends or time leaps. */
bool hf_write_log_is_due(const struct hf_write_log *log, uint64_t budget_bytes, const struct hf_write_log_now *now);

extern const struct hf_record_type hf_write_log_type;

/* Appends the file, and counts everything as saved. */
HF_MUST_USE int hf_write_log_format(struct hf_write_log *log, const struct hf_write_log_now *now, struct hf_buf *out);

/* Reads a saved log and moves it to the present. -EBADMSG: damaged; *log is unchanged. */
HF_MUST_USE int hf_write_log_parse(struct hf_view text, const struct hf_write_log_now *now, struct hf_write_log *log,
                                   struct hf_err *err);
