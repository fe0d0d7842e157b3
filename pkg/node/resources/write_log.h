/* node/resources/write_log.h - counts the bytes that the agent wrote to disks within the last 24 hours, and decides if
 * the policy's budget (spec.disk.writeBudget) is used up. Pure. Threads: any.
 *
 * The log has one number for each of the last 24 hours on the monotonic clock, so the sum covers 23 to 24 hours and
 * does not jump with the wall clock. A saved log continues after a restart; the Unix times of the save and of the load
 * then show for how long no process counted. If the load seems to be earlier than the save, this duration counts as 0,
 * so that all saved bytes stay counted. */
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

struct hf_write_log {
    uint64_t hours[HF_WRITE_LOG_HOURS]; /* bytes of each hour; hours[0] is the current hour */
    uint64_t hour_ns;                   /* monotonic time at which the current hour began */
    uint64_t counted;                   /* counter of this process at the last hf_write_log_note() */
    uint64_t unsaved;                   /* bytes since the last save */
    uint64_t saved_ns;                  /* monotonic time of the last save, or of the start */
    bool used_up;                       /* last result of hf_write_log_judge() */
};

void hf_write_log_init(struct hf_write_log *log, uint64_t now_ns);

/* Records that the process has written `counter` bytes since its start. If `counter` is lower than at the previous
 * call, it comes from a new process, and all its bytes are new. */
void hf_write_log_note(struct hf_write_log *log, uint64_t counter, uint64_t now_ns);

/* Returns the bytes of the last 24 hours. */
uint64_t hf_write_log_day(const struct hf_write_log *log);

/* Returns true if the budget is used up. From then on, returns true until at most 95 % of the budget are used, so that
 * work does not stop and start every hour. If budget_bytes is 0, there is no budget, and the result is false. */
bool hf_write_log_judge(struct hf_write_log *log, uint64_t budget_bytes);

/* Returns true if the log should be saved now. An agent that writes nothing never needs a save. */
bool hf_write_log_is_due(const struct hf_write_log *log, uint64_t now_ns);

/* Appends the log as text, and counts all bytes as saved. Returns 0 or -errno of the buffer. */
HF_MUST_USE int hf_write_log_format(struct hf_write_log *log, uint64_t unix_ns, uint64_t now_ns, struct hf_buf *out);

/* Replaces *log by the saved log in `text`, moved to the present (`unix_ns`, `now_ns`). -EBADMSG: the text is damaged;
 * *log is unchanged. */
HF_MUST_USE int hf_write_log_parse(struct hf_view text, uint64_t unix_ns, uint64_t now_ns, struct hf_write_log *log,
                                   struct hf_err *err);
