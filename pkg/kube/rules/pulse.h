/* kube/rules/pulse.h - detects that a connection is silent for longer than usual. Private to pkg/kube.
 *
 * The kernel finds a dead link (TCP keepalive); it cannot find a server, or a proxy on the way, that is there and does
 * nothing any more. Where bookmarks come, all watches of a node together make a rhythm on their one connection: a pause
 * longer than the longest one of the last ten to twenty minutes, by a margin, is overdue and worth one question. There
 * is none while the rhythm holds and is not slower than HF_PULSE_CAP_NS. With the question's own deadline this finds a
 * server that has stopped within a minute, whatever it did before. (A node with a single watch gets a bookmark a
 * minute, and asks once between two.) Without a rhythm (no bookmarks) it asks three questions, then none until the
 * server has sent a byte by itself.
 *
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define HF_PULSE_WINDOW_NS (600 * HF_NS_PER_S)
#define HF_PULSE_LEARN_NS (130 * HF_NS_PER_S) /* two bookmarks of one stream, at least */
#define HF_PULSE_FIRST_NS (40 * HF_NS_PER_S)  /* overdue while learning */
#define HF_PULSE_MARGIN_NS (5 * HF_NS_PER_S)
#define HF_PULSE_MIN_NS (20 * HF_NS_PER_S)
#define HF_PULSE_CAP_NS (45 * HF_NS_PER_S)  /* overdue in any case */
#define HF_PULSE_MAX_NS (300 * HF_NS_PER_S) /* pauses longer than this are no rhythm */

enum { HF_PULSE_QUESTIONS = 3 };

/* Zero: a connection of which nothing is known. */
struct hf_pulse {
    uint64_t heard_ns;   /* 0: nothing yet */
    uint64_t sign_ns;    /* last sign of life: a byte, or an answer */
    uint64_t begun_ns;   /* start of learning */
    uint64_t window_ns;  /* beginning of the current window */
    uint64_t longest[2]; /* pause in the current window and the one before */
    unsigned questions;  /* answers since the last byte */
};

/* A byte came without a question. */
void hf_pulse_heard(struct hf_pulse *pulse, uint64_t now_ns);
/* The answer to a question came. */
void hf_pulse_answered(struct hf_pulse *pulse, uint64_t now_ns);
/* The connection is new. */
void hf_pulse_reset(struct hf_pulse *pulse);
/* Returns the time at which silence is overdue; HF_NEVER while there is no rhythm. */
uint64_t hf_pulse_overdue_ns(const struct hf_pulse *pulse);
