/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/delivery/fresh.h - decides which records of a lane are backlog and which are live.
 *
 * While spec.connectivity closes the link, only live records are sent, at most HF_FRESH_SHARE_BYTES per minute and
 * lane. A record is live for one to two periods after it was stored, and not after a restart. Pure; times are
 * monotonic. Threads: any, one at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* bytes per minute, after compression */
enum { HF_FRESH_SHARE_BYTES = 64 << 10 };

#define HF_FRESH_PERIOD_NS (60 * HF_NS_PER_S)

struct hf_fresh {
    uint64_t period_ns;
    uint64_t old_until; /* highest sequence of the backlog */
    uint64_t mark;      /* highest sequence on disk at began_ns */
    uint64_t began_ns;
    uint64_t paid_ns; /* when the share covers all sent bytes; live records wait only if a minute or more ahead */
};

/* Records up to `stored` are backlog. Later ones are live for at least twice `wait_ns` (the longest wait for a full
 * batch) and for at least HF_FRESH_PERIOD_NS. */
void hf_fresh_init(struct hf_fresh *fresh, uint64_t stored, uint64_t wait_ns, uint64_t now_ns);

/* Starts a new period if due. Call before each of the functions below. `stored`: highest sequence on disk. */
void hf_fresh_look(struct hf_fresh *fresh, uint64_t stored, uint64_t now_ns);

uint64_t hf_fresh_wait_until_ns(const struct hf_fresh *fresh);

bool hf_fresh_is_live(const struct hf_fresh *fresh, uint64_t first, uint64_t now_ns);

/* May exceed what remains of the share; the next live batch then waits longer. */
void hf_fresh_pay(struct hf_fresh *fresh, uint64_t bytes, uint64_t now_ns);
