/* SPDX-License-Identifier: Apache-2.0 */
/* Is a connection silent for longer than usual? */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define HF_PULSE_FIRST_NS (15 * HF_NS_PER_S) /* limit until the usual pauses are known */

/* After so many answered pings, the next one waits for another byte. */
enum { HF_PULSE_QUESTIONS = 5 };

/* Of one connection. Begins with zeros. */
struct hf_pulse {
    uint64_t heard_ns;   /* last byte, except of pings' answers */
    uint64_t sign_ns;    /* any byte */
    uint64_t begun_ns;   /* when learning began */
    uint64_t window_ns;  /* begin of this window */
    uint64_t longest[2]; /* in this window, in the one before */
    unsigned questions;  /* answered since heard_ns */
    uint64_t cut_ns;     /* silence before the last cut */
    uint64_t limit_ns;   /* learned from two cuts; 0: none */
    uint64_t limit_at_ns;
};

/* A byte came, not of a ping's answer. */
void hf_pulse_heard(struct hf_pulse *pulse, uint64_t now_ns);
void hf_pulse_answered(struct hf_pulse *pulse, uint64_t now_ns);
/* After this silence, without a ping, the peer cut the connection. Call before hf_pulse_reset(); later calls have no
 * effect. */
void hf_pulse_cut(struct hf_pulse *pulse, uint64_t silence_ns);
/* A new or failed connection; keeps what cuts showed. */
void hf_pulse_reset(struct hf_pulse *pulse);
/* When to ping if silence lasts, or HF_NEVER. */
uint64_t hf_pulse_overdue_ns(const struct hf_pulse *pulse);
