/* SPDX-License-Identifier: Apache-2.0 */
/* Backlog and live records. While spec.connectivity closes the link only live ones are sent, HF_FRESH_SHARE_BYTES a
 * minute and lane. A record is live for one to two periods after it was stored, and not after a restart. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* bytes per minute, compressed */
enum { HF_FRESH_SHARE_BYTES = 64 << 10 };

struct hf_fresh {
    uint64_t period_ns;
    uint64_t old_until; /* highest of the backlog */
    uint64_t mark;      /* highest on disk at began_ns */
    uint64_t began_ns;
    uint64_t paid_ns; /* the share covers all bytes sent; live ones wait if it is a minute ahead */
};

/* Records up to `stored` are backlog. Later ones are live for twice `wait_ns` (the longest wait for a full batch), at
 * least for 60 seconds. */
void hf_fresh_init(struct hf_fresh *fresh, uint64_t stored, uint64_t wait_ns, uint64_t now_ns);

/* Begins a period if due. `stored`: highest on disk. */
void hf_fresh_look(struct hf_fresh *fresh, uint64_t stored, uint64_t now_ns);

uint64_t hf_fresh_wait_until_ns(const struct hf_fresh *fresh);

bool hf_fresh_is_live(const struct hf_fresh *fresh, uint64_t first, uint64_t now_ns);

/* If `bytes` exceed the share, the next live batch waits longer. */
void hf_fresh_pay(struct hf_fresh *fresh, uint64_t bytes, uint64_t now_ns);
