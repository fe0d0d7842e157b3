/* SPDX-License-Identifier: Apache-2.0 */
/* kube/rules/pulse.h - detects that a connection has been silent for longer than usual. Private to pkg/kube.
 *
 * TCP keepalive finds a dead link, but not a server or a proxy that keeps the connection open and has stopped working.
 * If the server sends bookmarks, the bookmarks of all watches arrive on one connection at a fairly regular rate. The
 * limit of a pause is the longest pause of the last 10 to 20 minutes plus a margin, but at least HF_PULSE_MIN_NS and at
 * most HF_PULSE_CAP_NS. If the connection is silent for longer than this limit, the node sends one ping (GET of
 * /version, or of a path that YurtHub does not answer by itself). The ping has a time limit of 12 s, so the node
 * detects a stopped server within a minute. (A node with one watch gets about one bookmark per minute, so it sends two
 * pings between two bookmarks.) If the server sends no bookmarks, the node sends five pings, and then no further ping
 * until the server sends a byte that does not answer a ping.
 *
 * A load balancer may close a connection on which no byte passes for a while; TCP keepalive does not count as a byte.
 * The examples in kubeadm's documentation let HAProxy do so after 35 s, older ones after 20 s. The pings are therefore
 * less than 35 s apart, and less than 20 s apart in the first minutes of a connection. If connections were cut twice in
 * a row after the same silence, the node has learned this limit: all pauses of the next 24 h are shorter, also on later
 * connections. A cut by the answer to a packet of our own shows no limit.
 *
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define HF_PULSE_WINDOW_NS (600 * HF_NS_PER_S)
/* time during which the node learns the usual pauses; long enough for two bookmarks of one watch */
#define HF_PULSE_LEARN_NS (130 * HF_NS_PER_S)
#define HF_PULSE_FIRST_NS (15 * HF_NS_PER_S) /* limit of a pause while the node learns the usual pauses */
#define HF_PULSE_MARGIN_NS (5 * HF_NS_PER_S)
#define HF_PULSE_MIN_NS (20 * HF_NS_PER_S)
#define HF_PULSE_CAP_NS (30 * HF_NS_PER_S) /* maximum of the limit of a pause */
/* If the longest pause of the last 10 to 20 minutes exceeds this time, the node sends no pings. */
#define HF_PULSE_MAX_NS (300 * HF_NS_PER_S)

/* after this many answered pings, the node sends no ping until a byte comes that does not answer a ping */
enum { HF_PULSE_QUESTIONS = 5 };

#define HF_PULSE_CUT_NS (15 * HF_NS_PER_S) /* shortest silence after which a cut may be that of a load balancer */
#define HF_PULSE_SAME_NS HF_NS_PER_S       /* largest difference of two silences that count as the same */
#define HF_PULSE_FORGET_NS (24 * 3600 * HF_NS_PER_S) /* time for which a learned limit counts */

/* The pauses on one connection. All times are on the monotonic clock. The caller must zero the struct for a new
 * connection. */
struct hf_pulse {
    uint64_t heard_ns;    /* time of the last byte that did not answer a ping (0 means none yet) */
    uint64_t sign_ns;     /* time of the last sign of life, which is any byte or the answer to a ping */
    uint64_t begun_ns;    /* time at which the node began to learn the usual pauses */
    uint64_t window_ns;   /* start time of the current window of HF_PULSE_WINDOW_NS */
    uint64_t longest[2];  /* longest pause in the current window, and longest pause in the window before */
    unsigned questions;   /* number of pings that the server has answered since heard_ns */
    uint64_t cut_ns;      /* length of the silence after which a connection was last cut (0 means never) */
    uint64_t limit_ns;    /* limit of a pause that two cuts have shown (0 means none) */
    uint64_t limit_at_ns; /* monotonic time at which they have shown it */
};

/* Call this function when a byte has come that does not answer a ping. */
void hf_pulse_heard(struct hf_pulse *pulse, uint64_t now_ns);
/* Call this function when the answer to a ping has come. */
void hf_pulse_answered(struct hf_pulse *pulse, uint64_t now_ns);
/* Call this function when the peer has cut the connection after `silence_ns` without a byte, while no ping was under
 * way, and before hf_pulse_reset(). Further calls, for the other watches of the same connection, have no effect. */
void hf_pulse_cut(struct hf_pulse *pulse, uint64_t silence_ns);
/* Call this function when the connection is new or has failed. What cuts have shown stays. */
void hf_pulse_reset(struct hf_pulse *pulse);
/* Returns the time at which to send a ping if the connection stays silent until then, or HF_NEVER if no ping is due. */
uint64_t hf_pulse_overdue_ns(const struct hf_pulse *pulse);
