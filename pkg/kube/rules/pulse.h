/* SPDX-License-Identifier: Apache-2.0 */
/* A connection that is silent for longer than usual. Private to pkg/kube. Pure; times are monotonic. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* learns usual pauses; two bookmarks of one watch */
#define HF_PULSE_LEARN_NS (130 * HF_NS_PER_S)
#define HF_PULSE_FIRST_NS (15 * HF_NS_PER_S) /* limit meanwhile */
#define HF_PULSE_MARGIN_NS (5 * HF_NS_PER_S)
#define HF_PULSE_MIN_NS (20 * HF_NS_PER_S)
#define HF_PULSE_CAP_NS (30 * HF_NS_PER_S)

/* answered pings; the next waits for another byte */
enum { HF_PULSE_QUESTIONS = 5 };

/* On one connection. Zeroed at first. */
struct hf_pulse {
    uint64_t heard_ns;    /* last byte that answered no ping; 0: none */
    uint64_t sign_ns;     /* any byte, or a ping's answer */
    uint64_t begun_ns;    /* of the learning */
    uint64_t window_ns;   /* begin of the current one */
    uint64_t longest[2];  /* in the current window, and the one before */
    unsigned questions;   /* answered since heard_ns */
    uint64_t cut_ns;      /* silence before the last; 0: never */
    uint64_t limit_ns;    /* by two cuts; 0: none */
    uint64_t limit_at_ns; /* when */
};

/* A byte has come that answers no ping. */
void hf_pulse_heard(struct hf_pulse *pulse, uint64_t now_ns);
/* A ping. */
void hf_pulse_answered(struct hf_pulse *pulse, uint64_t now_ns);
/* The peer cut the connection after this silence, without a ping under way; before hf_pulse_reset(). Repeated calls,
 * for other watches, have no effect. */
void hf_pulse_cut(struct hf_pulse *pulse, uint64_t silence_ns);
/* The connection is new or has failed; what cuts have shown stays. */
void hf_pulse_reset(struct hf_pulse *pulse);
/* When to send a ping if the silence lasts, or HF_NEVER. */
uint64_t hf_pulse_overdue_ns(const struct hf_pulse *pulse);
