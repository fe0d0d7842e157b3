/* SPDX-License-Identifier: Apache-2.0 */
/* A queue of notices, which become Events on this node's EdgeNode. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bucket.h"
#include "base/clock.h"

enum { HF_NOTICES_MAX = 32, HF_NOTICES_BURST = 10, HF_NOTICES_TEXT = 512 };

#define HF_NOTICES_TOKEN_NS (60 * HF_NS_PER_S)

enum hf_notice_reason {
    HF_NOTICE_NONE,
    HF_NOTICE_COMMITTED,
    HF_NOTICE_ROLLED_BACK,
    HF_NOTICE_REJECTED,
    HF_NOTICE_REPAIRED,
    HF_NOTICE_HELD_BACK, /* the site went back to the version before */
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
    HF_NOTICE_NEIGHBOUR_LIED,
    HF_NOTICE_IMAGE_REFUSED,
    HF_NOTICE_REASONS,
};

const char *hf_notice_reason_name(enum hf_notice_reason reason);
const char *hf_notice_action(enum hf_notice_reason reason);
bool hf_notice_is_warning(enum hf_notice_reason reason);

struct hf_notice {
    enum hf_notice_reason reason;
    uint64_t unix_ns; /* best guess (node/clock.h) */
    uint64_t number;  /* from 1; grows over restarts while notices wait */
    char *text;       /* owned */
};

/* Zeroed: empty. */
struct hf_notices {
    struct hf_notice queue[HF_NOTICES_MAX]; /* oldest first */
    size_t n;
    uint64_t added;
    uint64_t dropped;
    struct hf_bucket bucket;
    uint64_t not_before_ns;
    bool sending;
};

void hf_notices_done(struct hf_notices *notices);

/* Copies `text`, cut to HF_NOTICES_TEXT. A full queue drops an old notice; without memory, the new one. */
void hf_notices_add(struct hf_notices *notices, enum hf_notice_reason reason, uint64_t unix_ns, const char *text);

void hf_notices_restore(struct hf_notices *notices, enum hf_notice_reason reason, uint64_t unix_ns, uint64_t number,
                        const char *text);

/* When the oldest notice is due. HF_NEVER: empty or sending. */
uint64_t hf_notices_due_ns(const struct hf_notices *notices);

/* Call it when due: takes a token. Returns the oldest notice, valid until hf_notices_end(). */
const struct hf_notice *hf_notices_begin(struct hf_notices *notices, uint64_t now_ns);

enum hf_notices_result {
    HF_NOTICES_SENT,
    HF_NOTICES_REFUSED, /* refused for good: dropped */
    HF_NOTICES_LATER,
};

/* The next notice waits for `delay_ns`. */
void hf_notices_end(struct hf_notices *notices, enum hf_notices_result result, uint64_t delay_ns, uint64_t now_ns);
