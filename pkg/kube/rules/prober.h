/* SPDX-License-Identifier: Apache-2.0 */
/* Decides when to send a MetaServer a LIST, to learn if the cloud answers. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/rand.h"

enum hf_prober_state { HF_PROBER_QUIET, HF_PROBER_ASKING, HF_PROBER_RESTING, HF_PROBER_STATES };

enum hf_prober_event {
    HF_PROBER_WANT,
    HF_PROBER_PROVEN,   /* the cloud answered a LIST or a review */
    HF_PROBER_DOUBTFUL, /* the LIST failed, or the cloud did not answer it */
    /* CloudCore may not list the kind, or the API server lacks it */
    HF_PROBER_BARRED,
    HF_PROBER_TIMER,
    HF_PROBER_SIGN,
    HF_PROBER_EVENTS,
};

enum hf_prober_effect {
    HF_PROBER_REPORT_LOST = 1 << 0,
    HF_PROBER_REPORT_PROVEN = 1 << 1,
    HF_PROBER_WANT_OTHERS = 1 << 2, /* let all other subscriptions want a LIST */
    HF_PROBER_ASK = 1 << 3,         /* send a LIST, if possible for a subscription that wants one */
    HF_PROBER_SET_TIMER = 1 << 4,
    /* report LOST with the reason to the barred subscription, and stop its watch */
    HF_PROBER_REPORT_BARRED = 1 << 5,
    HF_PROBER_WANT_BARRED = 1 << 6, /* let all barred subscriptions want a LIST */
};

struct hf_prober {
    enum hf_prober_state state;
    bool proven; /* the cloud answered the last LIST or review */
    bool barred;
    bool signalled;
    unsigned failures;
};

struct hf_prober_step {
    unsigned effects;
    uint64_t delay_ns;
};

/* `more`: a subscription wants a LIST. `others`: there are several subscriptions. */
struct hf_prober_step hf_prober_step(struct hf_prober *prober, enum hf_prober_event event, bool more, bool others,
                                     uint64_t cap_ns, const struct hf_rand_ops *rng);

HF_MUST_USE int hf_prober_print(struct hf_buf *out);
