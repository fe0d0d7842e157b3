/* kube/rules/pulse.h - when a connection has been silent for longer than it usually is. Pure. Private to pkg/kube.
 *
 * The kernel finds a dead link (TCP keepalive); it cannot find a server, or a proxy on the way, that is there and does nothing any
 * more. Where bookmarks come, all watches of a node together make a rhythm on their one connection: what is longer than the
 * longest pause of the last ten to twenty minutes, by a margin, is overdue, and worth one question. Nothing is asked while the
 * rhythm is kept and is not slower than HF_PULSE_CAP_NS: with the question's own deadline that finds a server that stands still within
 * a minute, whatever it did before. (A node that has but one watch has a bookmark a minute, and asks once between two.)
 * Where there is no rhythm (no bookmarks), three questions are asked, and no more until the server has spoken by itself. */
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

/* Zero is a connection of which nothing is known. */
struct hf_pulse {
    uint64_t heard_ns;   /* 0: nothing yet */
    uint64_t sign_ns;    /* last sign of life: a byte, or an answer to a question */
    uint64_t begun_ns;   /* of learning */
    uint64_t window_ns;  /* beginning of the current window */
    uint64_t longest[2]; /* pause in the current window and the one before */
    unsigned questions;  /* answered since the last byte */
};

/* A byte came by itself. */
void hf_pulse_heard(struct hf_pulse *pulse, uint64_t now_ns);
/* A question was answered. */
void hf_pulse_answered(struct hf_pulse *pulse, uint64_t now_ns);
/* The connection is a new one. */
void hf_pulse_reset(struct hf_pulse *pulse);
/* When silence becomes overdue; HF_NEVER while there is no rhythm to miss. */
uint64_t hf_pulse_overdue_ns(const struct hf_pulse *pulse);
