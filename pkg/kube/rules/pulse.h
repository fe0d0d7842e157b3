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
    uint64_t heard_ns;   /* last byte, but pings' answers */
    uint64_t sign_ns;    /* any byte */
    uint64_t begun_ns;   /* learning */
    uint64_t window_ns;  /* begin of the current */
    uint64_t longest[2]; /* in this window, in the one before */
    unsigned questions;  /* answered since heard_ns */
    uint64_t cut_ns;     /* silence before the last */
    uint64_t limit_ns;   /* by two cuts */
    uint64_t limit_at_ns;
};

/* A byte, but no ping's answer. */
void hf_pulse_heard(struct hf_pulse *pulse, uint64_t now_ns);
void hf_pulse_answered(struct hf_pulse *pulse, uint64_t now_ns);
/* After this silence the peer cut the connection, without a ping; before hf_pulse_reset(). Other watches' repeated
 * calls have no effect. */
void hf_pulse_cut(struct hf_pulse *pulse, uint64_t silence_ns);
/* A new or failed connection; keeps what cuts showed. */
void hf_pulse_reset(struct hf_pulse *pulse);
/* When to ping if silence lasts, or HF_NEVER. */
uint64_t hf_pulse_overdue_ns(const struct hf_pulse *pulse);
