/* kube/rules/pulse.h - detects that a connection is silent for longer than usual. Private to pkg/kube.
 *
 * TCP keepalive finds a dead link. It does not find a server or a proxy that accepts the connection but has stopped
 * working. If the server sends bookmarks, those of all watches arrive on one connection at a fairly regular rate. If
 * the connection is silent for longer than the longest pause of the last 10 to 20 minutes plus a margin, the node sends
 * one ping (GET /version), which the code calls a question. The node sends no ping while pauses stay within that limit
 * and below HF_PULSE_CAP_NS. The ping has a deadline of its own (12 s), so the node detects a stopped server within a
 * minute. (A node with one watch gets about one bookmark per minute, so it sends one ping between two bookmarks.) If
 * the server sends no bookmarks, the node sends three pings, and then none until the server sends a byte that does not
 * answer a ping.
 *
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define HF_PULSE_WINDOW_NS (600 * HF_NS_PER_S)
#define HF_PULSE_LEARN_NS (130 * HF_NS_PER_S) /* time to learn the usual pauses: two bookmarks of one stream */
#define HF_PULSE_FIRST_NS (40 * HF_NS_PER_S)  /* limit of a pause during that time */
#define HF_PULSE_MARGIN_NS (5 * HF_NS_PER_S)
#define HF_PULSE_MIN_NS (20 * HF_NS_PER_S)
#define HF_PULSE_CAP_NS (45 * HF_NS_PER_S)  /* highest limit of a pause before a ping */
#define HF_PULSE_MAX_NS (300 * HF_NS_PER_S) /* after a longer pause, no pings for a while */

enum { HF_PULSE_QUESTIONS = 3 };

/* Zero the struct for a new connection. */
struct hf_pulse {
    uint64_t heard_ns;   /* last byte that did not answer a ping (0 means none yet) */
    uint64_t sign_ns;    /* last sign of life, a byte or the answer to a ping */
    uint64_t begun_ns;   /* start of learning */
    uint64_t window_ns;  /* beginning of the current window */
    uint64_t longest[2]; /* longest pause in the current window, and in the one before */
    unsigned questions;  /* answers to pings since heard_ns */
};

/* Call when a byte came that does not answer a ping. */
void hf_pulse_heard(struct hf_pulse *pulse, uint64_t now_ns);
/* Call when the answer to a ping came. */
void hf_pulse_answered(struct hf_pulse *pulse, uint64_t now_ns);
/* Call when the connection is new or has failed. */
void hf_pulse_reset(struct hf_pulse *pulse);
/* Returns the time at which to send a ping if the connection stays silent; HF_NEVER if no ping is useful now. */
uint64_t hf_pulse_overdue_ns(const struct hf_pulse *pulse);
