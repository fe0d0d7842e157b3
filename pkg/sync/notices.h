/* SPDX-License-Identifier: Apache-2.0 */
/* sync/notices.h - keeps notices in a short queue, and decides when they leave. Each notice becomes a Kubernetes Event
 * about this node's EdgeNode. Pure.
 *
 * The queue is in memory; notices that wait for an unreachable server are also in a file (agent/report/notice_file.h).
 * When the queue is full, a new notice replaces the oldest one that is not being sent. A bucket of tokens limits the
 * requests: it holds at most HF_NOTICES_BURST tokens and gets one token a minute, and each request takes a token. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

enum { HF_NOTICES_MAX = 32, HF_NOTICES_BURST = 10, HF_NOTICES_TEXT = 512 };

#define HF_NOTICES_TOKEN_NS (60 * HF_NS_PER_S)

enum hf_notice_reason {
    HF_NOTICE_NONE,
    HF_NOTICE_COMMITTED,
    HF_NOTICE_ROLLED_BACK,
    HF_NOTICE_REJECTED,
    HF_NOTICE_REPAIRED,
    HF_NOTICE_WENT_STALE,
    HF_NOTICE_CAME_BACK,
    HF_NOTICE_DISK_PRESSURE,
    HF_NOTICE_DISK_RELIEVED,
    HF_NOTICE_CLOCK_STEPPED,
    HF_NOTICE_MANIFEST_APPLIED,
    HF_NOTICE_MANIFEST_ROLLED_BACK,
    HF_NOTICE_MANIFEST_REFUSED,
    HF_NOTICE_DRIFT_REPAIRED,
    HF_NOTICE_MANIFEST_REMOVED,
    HF_NOTICE_POLICY_CHANGED,
    HF_NOTICE_REASONS,
};

/* Returns the reason of the Event, such as "UpdateCommitted"; "" for HF_NOTICE_NONE. */
const char *hf_notice_reason_name(enum hf_notice_reason reason);
/* Returns the action of the Event: "Update", "Contact", "Manifest", "Policy", "Disk" or "Clock"; "" for
 * HF_NOTICE_NONE. */
const char *hf_notice_action(enum hf_notice_reason reason);
/* Returns true if the Event has the type Warning, false if it has the type Normal. */
bool hf_notice_is_warning(enum hf_notice_reason reason);

struct hf_notice {
    enum hf_notice_reason reason;
    uint64_t unix_ns; /* time of the occurrence, by the agent's best guess (node/clock.h) */
    /* number of this notice, from 1; the numbers grow, also over a restart during which notices wait */
    uint64_t number;
    char *text; /* note of the Event, at most HF_NOTICES_TEXT - 1 bytes; owned */
};

struct hf_notices {
    struct hf_notice queue[HF_NOTICES_MAX]; /* oldest first */
    size_t n;
    uint64_t added;   /* number of the newest notice */
    uint64_t dropped; /* number of notices that were lost or refused in this process */
    unsigned tokens;
    uint64_t tokens_at_ns;  /* monotonic time at which the bucket had `tokens` tokens */
    uint64_t not_before_ns; /* monotonic time before which no notice leaves */
    bool sending;           /* true while the oldest notice is being sent */
};

void hf_notices_init(struct hf_notices *notices, uint64_t now_ns);
void hf_notices_done(struct hf_notices *notices);

/* Adds a notice with a copy of `text`. If the text is too long, cuts it after a whole character. If memory runs out,
 * the notice counts as dropped. */
void hf_notices_add(struct hf_notices *notices, enum hf_notice_reason reason, uint64_t unix_ns, const char *text);

/* Adds a notice that an earlier process has left. `number` is the number that the notice had in that process. */
void hf_notices_restore(struct hf_notices *notices, enum hf_notice_reason reason, uint64_t unix_ns, uint64_t number,
                        const char *text);

/* Returns the monotonic time at which the oldest notice may be sent. A time in the past means now; HF_NEVER means that
 * the queue is empty or that a notice is being sent. */
uint64_t hf_notices_due_ns(const struct hf_notices *notices);

/* Takes a token and returns the oldest notice, which the caller now sends. Call this function only when a notice is
 * due. The notice is valid until hf_notices_end(). */
const struct hf_notice *hf_notices_begin(struct hf_notices *notices, uint64_t now_ns);

enum hf_notices_result {
    HF_NOTICES_SENT,    /* the server has the Event */
    HF_NOTICES_REFUSED, /* the server will never take this Event; the queue drops it */
    HF_NOTICES_LATER,   /* the notice stays the oldest one, for another try */
};

/* Ends what hf_notices_begin() began. The next notice leaves `delay_ns` from now at the earliest. */
void hf_notices_end(struct hf_notices *notices, enum hf_notices_result result, uint64_t delay_ns, uint64_t now_ns);
