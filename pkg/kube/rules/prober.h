/* kube/rules/prober.h - behind a MetaServer: when to ask for the one answer that comes from the cloud. Pure. Private to pkg/kube.
 *
 *     quiet --want--> asking --proven--> asking the next, or quiet
 *                       |  ^
 *                doubtful  timer, sign
 *                       v  |
 *                     resting
 *
 * A LIST that the cloud may not make for us (review.h) is barred: the cloud is there, one subscription is not served. When
 * nobody else wants a LIST, it rests, and asks again for those that were barred; until then another's want is heard.
 *
 * A LIST whose kind is spelled as in the CRD is the proof of contact; any other answer, or none, means that the cloud is away.
 * Each call takes 10 s then, so one is made at a time, for one subscription; when it is proven all subscriptions get theirs,
 * because deletions are told in no other way. Signs that the cloud may be back: a live event, a write that was taken, a watch
 * that could be opened again. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/rand.h"

/* How often those are asked for again, give or take a half: CloudCore serves all nodes one after the other. */
#define HF_PROBER_BARRED_NS (60 * HF_NS_PER_S)

enum hf_prober_state { HF_PROBER_QUIET, HF_PROBER_ASKING, HF_PROBER_RESTING, HF_PROBER_STATES };

enum hf_prober_event {
    HF_PROBER_WANT,     /* somebody wants a proven LIST */
    HF_PROBER_PROVEN,   /* the LIST came from the cloud, another one is wanted or not */
    HF_PROBER_DOUBTFUL, /* it did not, or failed */
    HF_PROBER_BARRED,   /* the cloud answered that it may not list this kind */
    HF_PROBER_TIMER,
    HF_PROBER_SIGN,
    HF_PROBER_EVENTS,
};

enum hf_prober_effect {
    HF_PROBER_REPORT_LOST = 1 << 0,
    HF_PROBER_REPORT_PROVEN = 1 << 1,
    HF_PROBER_WANT_OTHERS = 1 << 2, /* mark every other subscription as wanting one */
    HF_PROBER_ASK = 1 << 3,         /* LIST for the next that wants one */
    HF_PROBER_SET_TIMER = 1 << 4,
    HF_PROBER_REPORT_BARRED = 1 << 5, /* to the one that was asked for */
    HF_PROBER_WANT_BARRED = 1 << 6,   /* mark those that were barred as wanting one */
};

struct hf_prober {
    enum hf_prober_state state;
    bool proven;    /* the last answer came from the cloud */
    bool barred;    /* since the last timer somebody was */
    bool signalled; /* a sign came while asking: what is asked may have been asked too early */
    unsigned failures;
};

struct hf_prober_step {
    unsigned effects;
    uint64_t delay_ns;
};

/* `more`: another subscription wants a LIST, `others`: there are others (both after PROVEN and BARRED). `cap_ns` bounds the backoff. */
struct hf_prober_step hf_prober_step(struct hf_prober *prober, enum hf_prober_event event, bool more, bool others,
                                     uint64_t cap_ns, const struct hf_rand_ops *rng);

/* The table as text, for tests/golden. */
HF_MUST_USE int hf_prober_print(struct hf_buf *out);
