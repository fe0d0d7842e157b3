/* SPDX-License-Identifier: Apache-2.0 */
/* node/resources/write_log.h - counts the bytes that the agent wrote to disks within the last 24 hours, and decides if
 * the policy's budget (spec.disk.writeBudget) is used up. Pure. Threads: any.
 *
 * The log has one number for each of the last 24 hours on the monotonic clock, so the sum covers 23 to 24 hours and
 * does not jump with the wall clock. A saved log continues after a restart. Within one boot, the monotonic clock shows
 * for how long no process counted. After a reboot, the Unix times of the save and of the load show it, but it is at
 * least the time since this boot began. Only that time counts if the load seems to be earlier than the save, and if the
 * time of the save was not sure while that of the load is, because somebody may have corrected the clock in between. If
 * the time of the save was sure while that of the load is not, the time for which the machine was off is counted again
 * as soon as the present is sure: a board without a clock battery learns the time only after the agent has started. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

enum { HF_WRITE_LOG_HOURS = 24 };

/* The log must be saved when at least HF_WRITE_LOG_SAVE_BYTES are unsaved and HF_WRITE_LOG_SAVE_NS have passed since
 * the last save, or at once when at least HF_WRITE_LOG_SAVE_NOW_BYTES are unsaved. */
#define HF_WRITE_LOG_SAVE_BYTES (1ull << 20)
#define HF_WRITE_LOG_SAVE_NOW_BYTES (32ull << 20)
#define HF_WRITE_LOG_SAVE_NS (600 * HF_NS_PER_S)

/* If the estimate of the time leaps by more than this against the monotonic clock, the time in the file is wrong. */
#define HF_WRITE_LOG_LEAP_NS (600 * HF_NS_PER_S)

/* One moment, by all clocks. */
struct hf_write_log_now {
    uint64_t mono_ns;
    uint64_t unix_ns; /* best guess; may leap */
    bool sure;        /* unix_ns is more than the word of one clock */
    const char *boot; /* id of this boot; "" if unknown */
};

/* A log that a process of an earlier boot has saved. */
struct hf_write_log_saved {
    uint64_t hours[HF_WRITE_LOG_HOURS];
    uint64_t unix_s; /* when it was saved */
    uint64_t age_s;  /* for how long its current hour had lasted then */
};

struct hf_write_log {
    uint64_t hours[HF_WRITE_LOG_HOURS]; /* bytes of each hour; hours[0] is the current hour */
    uint64_t hour_ns;  /* monotonic time at which the current hour began; wraps if that was before this boot */
    uint64_t counted;  /* counter of this process at the last hf_write_log_note() */
    uint64_t unsaved;  /* bytes since the last save */
    uint64_t saved_ns; /* monotonic time of the last save, or of the start */
    bool used_up;      /* last result of hf_write_log_judge() */
    /* state of the saved log, if there is one */
    bool is_saved;
    bool saved_used_up;
    bool saved_older;      /* an hour has ended since the save */
    bool saved_later;      /* the time of the save is later than the present */
    uint64_t saved_lead;   /* unix_ns - mono_ns at the save or the load; may wrap */
    uint64_t save_leap_ns; /* monotonic time from which another leap of the time causes a save */
    /* while it is open for how long the machine was off */
    bool is_open;
    struct hf_write_log_saved loaded;
    uint64_t since_load; /* bytes since the load */
};

void hf_write_log_init(struct hf_write_log *log, uint64_t now_ns);

/* Records that the process has written `counter` bytes since its start. If `counter` is lower than at the previous
 * call, it comes from a new process, and all its bytes are new. */
void hf_write_log_note(struct hf_write_log *log, uint64_t counter, const struct hf_write_log_now *now);

/* Returns the monotonic time at which the current hour ends: some bytes may count no longer then. HF_NEVER: there is no
 * budget, or no bytes count. */
uint64_t hf_write_log_wait_until_ns(const struct hf_write_log *log, uint64_t budget_bytes);

/* Returns the bytes of the last 24 hours. */
uint64_t hf_write_log_day(const struct hf_write_log *log);

/* Returns true if the budget is used up. From then on, returns true until at most 95 % of the budget are used, so that
 * work does not stop and start every hour. If budget_bytes is 0, there is no budget, and the result is false. */
bool hf_write_log_judge(struct hf_write_log *log, uint64_t budget_bytes);

/* Returns the bytes after which the log must be saved if there is a budget: an eighth of it, but not so few that the
 * writes of the saves themselves would make saves necessary. */
uint64_t hf_write_log_part(uint64_t budget_bytes);

/* Returns true if the log should be saved now. An agent that has written nothing within a day never needs a save. With
 * a budget, the log must also be saved after each part of the budget, and when the budget is used up. While at least a
 * part of the budget or HF_WRITE_LOG_SAVE_BYTES count, it must be saved when an hour ends, and when the estimate of the
 * time leaps. A time that leaps again and again causes one save in HF_WRITE_LOG_SAVE_NS. */
bool hf_write_log_is_due(const struct hf_write_log *log, uint64_t budget_bytes, const struct hf_write_log_now *now);

/* Appends the log as text, and counts all bytes as saved. Returns 0 or -errno of the buffer. */
HF_MUST_USE int hf_write_log_format(struct hf_write_log *log, const struct hf_write_log_now *now, struct hf_buf *out);

/* Replaces *log by the saved log in `text`, moved to the present. -EBADMSG: the text is damaged; *log is unchanged. A
 * log that an earlier version has saved tells no boot. */
HF_MUST_USE int hf_write_log_parse(struct hf_view text, const struct hf_write_log_now *now, struct hf_write_log *log,
                                   struct hf_err *err);
