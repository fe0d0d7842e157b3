/* SPDX-License-Identifier: Apache-2.0 */
/* kube/rules/prober.h - decides when to send a LIST to a MetaServer, to find out if the cloud answers. Private to
 * pkg/kube.
 *
 *     quiet --want--> asking --proven--> asking the next, or quiet
 *                       |  ^
 *                doubtful  timer, sign
 *                       v  |
 *                     resting
 *
 * "Proven" means that the cloud answered. A LIST proves this if it spells the list kind as the CRD does (resource.h). A
 * failure and any other answer, except "barred" below, are "doubtful": the prober then assumes that the cloud is not
 * reachable. Each LIST takes 10 s while the cloud is not reachable, so the prober sends only one LIST at a time. Once
 * the cloud answers again, the prober requests a LIST for every subscription, because only a LIST shows deletions.
 * Signs that the cloud may be reachable again are a live event of a watch, a write that succeeded, and a network link
 * of the node that came up.
 *
 * A subscription is "barred" if the cloud answered that CloudCore may not list the kind (review.h). The cloud is then
 * reachable, but does not serve this subscription. When no other subscription wants a LIST, the prober waits about
 * HF_PROBER_BARRED_NS, and then sends the LISTs of the barred subscriptions again. If another subscription wants a LIST
 * during this time, the prober sends that LIST at once.
 *
 * Pure. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/rand.h"

/* Mean time between two LISTs of barred kinds. The actual time is random, from 0.5 to 1.5 times this value, to spread
 * the load on CloudCore, which serves all nodes one after the other. */
#define HF_PROBER_BARRED_NS (60 * HF_NS_PER_S)

enum hf_prober_state { HF_PROBER_QUIET, HF_PROBER_ASKING, HF_PROBER_RESTING, HF_PROBER_STATES };

enum hf_prober_event {
    HF_PROBER_WANT,     /* a subscription wants a LIST that the cloud answers */
    HF_PROBER_PROVEN,   /* the cloud answered the LIST with a list, or allowed the watch that a review asked about */
    HF_PROBER_DOUBTFUL, /* the LIST failed, or its answer did not come from the cloud */
    /* the cloud is reachable, but CloudCore has no right to list this kind, or the API server does not have the kind */
    HF_PROBER_BARRED,
    HF_PROBER_TIMER,
    HF_PROBER_SIGN,
    HF_PROBER_EVENTS,
};

enum hf_prober_effect {
    HF_PROBER_REPORT_LOST = 1 << 0,
    HF_PROBER_REPORT_PROVEN = 1 << 1,
    HF_PROBER_WANT_OTHERS = 1 << 2, /* record that every other subscription wants a LIST */
    HF_PROBER_ASK = 1 << 3,         /* send the LIST of the next subscription that wants one */
    HF_PROBER_SET_TIMER = 1 << 4,
    /* report lost contact and the reason to the subscription that wanted this LIST, and stop the watch of this
     * subscription */
    HF_PROBER_REPORT_BARRED = 1 << 5,
    HF_PROBER_WANT_BARRED = 1 << 6, /* record that every barred subscription wants a LIST */
};

struct hf_prober {
    enum hf_prober_state state;
    bool proven; /* true if the cloud answered the last LIST or review */
    bool barred; /* true if the event BARRED came since the timer last fired */
    /* true if a sign came during the LIST in flight; if this LIST fails, the prober sends the next LIST soon */
    bool signalled;
    unsigned failures;
};

struct hf_prober_step {
    unsigned effects;
    uint64_t delay_ns;
};

/* Handles one event, and returns the effects that the caller must perform. `more` is true if another subscription wants
 * a LIST, and `others` is true if another subscription exists; `more` and `others` matter only for PROVEN and BARRED.
 * `cap_ns` is the maximum back-off. */
struct hf_prober_step hf_prober_step(struct hf_prober *prober, enum hf_prober_event event, bool more, bool others,
                                     uint64_t cap_ns, const struct hf_rand_ops *rng);

/* Appends the table of states and events as text, for the comparison with a file in tests/golden. */
HF_MUST_USE int hf_prober_print(struct hf_buf *out);
