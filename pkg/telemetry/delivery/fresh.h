/* SPDX-License-Identifier: Apache-2.0 */
/* Tells live records from backlog. While spec.connectivity closes the link, `bulk` sends only live records unless it
 * is full, HF_FRESH_SHARE_BYTES per minute. A record is live for one to two periods after it was stored, but not after
 * a restart. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* bytes per minute, after compression */
enum { HF_FRESH_SHARE_BYTES = 64 << 10 };

struct hf_fresh {
    uint64_t period_ns;
    uint64_t old_until; /* highest sequence of the backlog */
    uint64_t mark;
    uint64_t began_ns;
    /* when the share will have covered all bytes sent; while this is a minute ahead, live batches wait */
    uint64_t paid_ns;
};

/* Begins with all records up to `stored` as backlog. A period is twice `wait_ns` (how long a batch may fill), at least
 * 60 seconds. */
void hf_fresh_init(struct hf_fresh *fresh, uint64_t stored, uint64_t wait_ns, uint64_t now_ns);

/* Begins the next period if due. `stored`: highest sequence on disk. */
void hf_fresh_look(struct hf_fresh *fresh, uint64_t stored, uint64_t now_ns);

uint64_t hf_fresh_wait_until_ns(const struct hf_fresh *fresh);

/* Whether a batch from `first` on is live and within the share. */
bool hf_fresh_is_live(const struct hf_fresh *fresh, uint64_t first, uint64_t now_ns);

/* Counts `bytes` as sent; the next live batch waits longer for bytes above the share. */
void hf_fresh_pay(struct hf_fresh *fresh, uint64_t bytes, uint64_t now_ns);
