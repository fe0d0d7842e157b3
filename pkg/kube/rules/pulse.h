/* SPDX-License-Identifier: Apache-2.0 */
/* kube/rules/pulse.h - detects that a connection has been silent for longer than usual. Private to pkg/kube. Pure;
 * times are monotonic.
 *
 * TCP keepalive does not find a server or proxy that has stopped working but keeps the connection. Bookmarks come at a
 * fairly regular rate, so the limit of a pause is the longest one of the last 10 to 20 minutes plus a margin, from
 * HF_PULSE_MIN_NS to HF_PULSE_CAP_NS. After it the node sends one ping (GET of /version, or of a path that YurtHub does
 * not answer by itself) with a limit of 12 s. A server without bookmarks gets five pings, then none until it sends a
 * byte that answers no ping.
 *
 * A load balancer may close a connection without a byte (HAProxy after 35 s in kubeadm's documentation, after 20 s in
 * older examples), so pings are less than 35 s apart, in the first minutes less than 20 s. Two cuts in a row after the
 * same silence teach the node this limit for 24 h, also on later connections; a cut that answers a packet of our own
 * shows no limit. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define HF_PULSE_WINDOW_NS (600 * HF_NS_PER_S)
/* learns the usual pauses; enough for two bookmarks of one watch */
#define HF_PULSE_LEARN_NS (130 * HF_NS_PER_S)
#define HF_PULSE_FIRST_NS (15 * HF_NS_PER_S) /* limit of a pause meanwhile */
#define HF_PULSE_MARGIN_NS (5 * HF_NS_PER_S)
#define HF_PULSE_MIN_NS (20 * HF_NS_PER_S)
#define HF_PULSE_CAP_NS (30 * HF_NS_PER_S)
/* after a longer pause in the last 10 to 20 minutes there are no pings */
#define HF_PULSE_MAX_NS (300 * HF_NS_PER_S)

/* answered pings, after which the next waits for another byte */
enum { HF_PULSE_QUESTIONS = 5 };

#define HF_PULSE_CUT_NS (15 * HF_NS_PER_S)           /* shortest silence before a cut that may be a load balancer's */
#define HF_PULSE_SAME_NS HF_NS_PER_S                 /* largest difference of two equal silences */
#define HF_PULSE_FORGET_NS (24 * 3600 * HF_NS_PER_S) /* for this long a learned limit is valid */

/* The pauses on one connection. Zero it at first. */
struct hf_pulse {
    uint64_t heard_ns;    /* last byte that did not answer a ping; 0: none yet */
    uint64_t sign_ns;     /* last sign of life: any byte, or the answer to a ping */
    uint64_t begun_ns;    /* when the learning began */
    uint64_t window_ns;   /* start of the current window of HF_PULSE_WINDOW_NS */
    uint64_t longest[2];  /* longest pause in the current window, and in the one before */
    unsigned questions;   /* pings answered since heard_ns */
    uint64_t cut_ns;      /* silence before the last cut; 0: never */
    uint64_t limit_ns;    /* learned from two cuts; 0: none */
    uint64_t limit_at_ns; /* when */
};

/* A byte came that does not answer a ping. */
void hf_pulse_heard(struct hf_pulse *pulse, uint64_t now_ns);
/* A ping was answered. */
void hf_pulse_answered(struct hf_pulse *pulse, uint64_t now_ns);
/* The peer cut the connection after this silence, with no ping under way. Before hf_pulse_reset(). Repeated calls, for
 * the other watches of the connection, have no effect. */
void hf_pulse_cut(struct hf_pulse *pulse, uint64_t silence_ns);
/* The connection is new or has failed; what cuts have shown stays. */
void hf_pulse_reset(struct hf_pulse *pulse);
/* When to send a ping if the silence lasts, or HF_NEVER. */
uint64_t hf_pulse_overdue_ns(const struct hf_pulse *pulse);
