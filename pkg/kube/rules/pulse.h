/* kube/rules/pulse.h - detects that a connection is silent for longer than usual. Private to pkg/kube.
 *
 * The kernel finds a dead link (TCP keepalive); it cannot find a server, or a proxy on the way, that is there and
 * does nothing any more. Where bookmarks come, all watches of a node together make a rhythm on their one connection:
 * a pause longer than the longest one of the last ten to twenty minutes, by a margin, is overdue and worth one
 * question. The node asks nothing while the rhythm holds and is not slower than HF_PULSE_CAP_NS. Together with the
 * question's own deadline, this detects a stopped server within a minute, whatever the server did before. (A node
 * with a single watch gets a bookmark a minute, and asks once between two.) Without a rhythm (no bookmarks) the node
 * asks three questions, then none until the server has sent a byte by itself.
 *
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define HF_PULSE_WINDOW_NS (600 * HF_NS_PER_S)
#define HF_PULSE_LEARN_NS (130 * HF_NS_PER_S) /* a rhythm needs at least two bookmarks of one stream */
#define HF_PULSE_FIRST_NS (40 * HF_NS_PER_S)  /* overdue while learning */
#define HF_PULSE_MARGIN_NS (5 * HF_NS_PER_S)
#define HF_PULSE_MIN_NS (20 * HF_NS_PER_S)
#define HF_PULSE_CAP_NS (45 * HF_NS_PER_S)  /* a longer pause is overdue in any case */
#define HF_PULSE_MAX_NS (300 * HF_NS_PER_S) /* longer pauses do not make a rhythm */

enum { HF_PULSE_QUESTIONS = 3 };

/* Zero it for a connection of which nothing is known. */
struct hf_pulse {
    uint64_t heard_ns;   /* 0: nothing yet */
    uint64_t sign_ns;    /* last sign of life: a byte, or an answer */
    uint64_t begun_ns;   /* start of learning */
    uint64_t window_ns;  /* beginning of the current window */
    uint64_t longest[2]; /* longest pause in the current window, and in the one before */
    unsigned questions;  /* answers to questions since the last byte that came by itself */
};

/* Call when a byte came that no question asked for. */
void hf_pulse_heard(struct hf_pulse *pulse, uint64_t now_ns);
/* Call when the answer to a question came. */
void hf_pulse_answered(struct hf_pulse *pulse, uint64_t now_ns);
/* Call when the connection is new. */
void hf_pulse_reset(struct hf_pulse *pulse);
/* Returns the time at which silence is overdue; HF_NEVER while there is no rhythm. */
uint64_t hf_pulse_overdue_ns(const struct hf_pulse *pulse);
