/* kube/rules/prober.h - behind a MetaServer: when to send the one request whose answer comes from the cloud. Private
 * to pkg/kube.
 *
 *     quiet --want--> asking --proven--> asking the next, or quiet
 *                       |  ^
 *                doubtful  timer, sign
 *                       v  |
 *                     resting
 *
 * A LIST that the cloud may not make for us (review.h) is barred: the cloud is there, and does not serve one
 * subscription. When no other subscription wants a LIST, the prober rests and then asks again for the barred ones.
 * If another subscription wants a LIST meanwhile, the prober wakes.
 *
 * A LIST whose kind is spelled as in the CRD is the proof of contact; any other answer, or none, means that the
 * cloud is away. Each call then takes 10 s, so the prober makes one at a time, for one subscription; after a proof
 * all subscriptions get theirs, because only a LIST shows deletions. Signs that the cloud may be back: a live event,
 * a write that succeeded, a watch that opened again.
 *
 * Pure. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/rand.h"

/* Time between two LISTs of barred kinds, give or take a half: CloudCore serves all nodes one after the other. */
#define HF_PROBER_BARRED_NS (60 * HF_NS_PER_S)

enum hf_prober_state { HF_PROBER_QUIET, HF_PROBER_ASKING, HF_PROBER_RESTING, HF_PROBER_STATES };

enum hf_prober_event {
    HF_PROBER_WANT,     /* a subscription wants a proven LIST */
    HF_PROBER_PROVEN,   /* the LIST came from the cloud */
    HF_PROBER_DOUBTFUL, /* the LIST did not come from the cloud, or failed */
    HF_PROBER_BARRED,   /* the cloud answered that it may not list this kind */
    HF_PROBER_TIMER,
    HF_PROBER_SIGN,
    HF_PROBER_EVENTS,
};

enum hf_prober_effect {
    HF_PROBER_REPORT_LOST = 1 << 0,
    HF_PROBER_REPORT_PROVEN = 1 << 1,
    HF_PROBER_WANT_OTHERS = 1 << 2, /* every other subscription now wants a LIST */
    HF_PROBER_ASK = 1 << 3,         /* send the LIST of the next subscription that wants one */
    HF_PROBER_SET_TIMER = 1 << 4,
    HF_PROBER_REPORT_BARRED = 1 << 5, /* report the proof to the subscription that the LIST served */
    HF_PROBER_WANT_BARRED = 1 << 6,   /* the barred subscriptions want a LIST again */
};

struct hf_prober {
    enum hf_prober_state state;
    bool proven;    /* the last answer came from the cloud */
    bool barred;    /* a subscription was barred since the last timer */
    bool signalled; /* a sign came during the LIST, which may have been too early */
    unsigned failures;
};

struct hf_prober_step {
    unsigned effects;
    uint64_t delay_ns;
};

/* `more`: another subscription wants a LIST; `others`: there are others (both matter after PROVEN and BARRED).
 * `cap_ns`: longest back-off. */
struct hf_prober_step hf_prober_step(struct hf_prober *prober, enum hf_prober_event event, bool more, bool others,
                                     uint64_t cap_ns, const struct hf_rand_ops *rng);

/* Appends the table as text, for tests/golden. */
HF_MUST_USE int hf_prober_print(struct hf_buf *out);
