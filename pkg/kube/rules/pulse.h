/* SPDX-License-Identifier: Apache-2.0 */
/* Decides when a silent connection needs a ping. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define HF_PULSE_FIRST_NS (15 * HF_NS_PER_S) /* silence before a ping, until the usual pauses are known */

/* answered pings in one silence, after which no more are sent */
enum { HF_PULSE_QUESTIONS = 5 };

/* A connection's pauses. Begins with zeros. */
struct hf_pulse {
    uint64_t heard_ns; /* last byte, except answers to pings */
    uint64_t sign_ns;  /* last byte */
    uint64_t begun_ns;
    uint64_t window_ns;
    uint64_t longest[2]; /* longest pause in the current window, and in the one before */
    unsigned questions;  /* pings answered since heard_ns */
    uint64_t cut_ns;
    uint64_t limit_ns; /* silence before a ping, learned from cuts; or 0 */
    uint64_t limit_at_ns;
};

void hf_pulse_heard(struct hf_pulse *pulse, uint64_t now_ns);
void hf_pulse_answered(struct hf_pulse *pulse, uint64_t now_ns);
/* Call before hf_pulse_reset(), if the peer cut the connection after this silence, without a ping under way. */
void hf_pulse_cut(struct hf_pulse *pulse, uint64_t silence_ns);
/* Begins a new connection; keeps what cuts have shown. */
void hf_pulse_reset(struct hf_pulse *pulse);
/* Returns when to ping if the silence lasts, or HF_NEVER. */
uint64_t hf_pulse_overdue_ns(const struct hf_pulse *pulse);
