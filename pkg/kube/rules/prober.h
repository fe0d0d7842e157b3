/* SPDX-License-Identifier: Apache-2.0 */
/* When to send a MetaServer a LIST, to learn if the cloud answers. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/rand.h"

enum hf_prober_state { HF_PROBER_QUIET, HF_PROBER_ASKING, HF_PROBER_RESTING, HF_PROBER_STATES };

enum hf_prober_event {
    HF_PROBER_WANT,     /* a subscription wants a LIST */
    HF_PROBER_PROVEN,   /* by the cloud, or a review */
    HF_PROBER_DOUBTFUL, /* LIST failed, or not the cloud's */
    /* CloudCore may not list the kind, or the API server lacks it */
    HF_PROBER_BARRED,
    HF_PROBER_TIMER,
    HF_PROBER_SIGN,
    HF_PROBER_EVENTS,
};

enum hf_prober_effect {
    HF_PROBER_REPORT_LOST = 1 << 0,
    HF_PROBER_REPORT_PROVEN = 1 << 1,
    HF_PROBER_WANT_OTHERS = 1 << 2, /* all other subscriptions' LISTs */
    HF_PROBER_ASK = 1 << 3,         /* for the next subscription that wants a LIST */
    HF_PROBER_SET_TIMER = 1 << 4,
    /* LOST with the reason, to its subscription, whose watch stops */
    HF_PROBER_REPORT_BARRED = 1 << 5,
    HF_PROBER_WANT_BARRED = 1 << 6, /* all barred ones' LISTs */
};

struct hf_prober {
    enum hf_prober_state state;
    bool proven; /* by the last LIST or review */
    bool barred; /* some kind, since the timer */
    /* SIGN came during the LIST: if that fails, the next is soon */
    bool signalled;
    unsigned failures;
};

struct hf_prober_step {
    unsigned effects;
    uint64_t delay_ns;
};

/* `more`: another subscription wants a LIST; `others`: there is another; for PROVEN and BARRED. `cap_ns`: of
 * back-off. */
struct hf_prober_step hf_prober_step(struct hf_prober *prober, enum hf_prober_event event, bool more, bool others,
                                     uint64_t cap_ns, const struct hf_rand_ops *rng);

HF_MUST_USE int hf_prober_print(struct hf_buf *out);
