/* SPDX-License-Identifier: Apache-2.0 */
/* Decides whether the node is alone, and what to do next. Pure: facts and wishes in, one step out; the facts after the
 * step decide again, so nothing is remembered that a crash could lose. Threads: any. */
#pragma once

#include "alone/listing.h"
#include "alone/translate.h"
#include "base/clock.h"

enum hf_alone_presence {
    HF_ALONE_KUBELET, /* there is one: nothing of ours may run */
    HF_ALONE_WAITING, /* not for long enough: what runs stays, nothing starts */
    HF_ALONE_ALONE,
};

struct hf_alone_evidence {
    bool kubelet_answers;
    uint64_t uptime_ns; /* of the machine */
    /* since this process last saw a kubelet or, if it saw none, since its start */
    uint64_t unseen_ns;
    bool seen; /* by this process */
};

enum hf_alone_presence hf_alone_judge(const struct hf_alone_evidence *evidence);

struct hf_alone_retry {
    unsigned failures;
    uint64_t not_before_ns; /* mono */
};

/* A pod that should run; `retry` has one for the sandbox, then one for each container. */
struct hf_alone_wish {
    struct hf_alone_pod pod;
    char twin[HF_ALONE_NAME + 64]; /* the name of the pod as the kubelet runs it: <name>-<node> */
    struct hf_alone_retry retry[1 + HF_ALONE_MAX_CONTAINERS];
};

/* 0, then 1 s, doubled to 60 s. */
uint64_t hf_alone_retry_wait_ns(unsigned failures);

struct hf_alone_facts {
    enum hf_alone_presence presence;
    bool own_runtime;                 /* our unit with containerd is active */
    bool other_runtime;               /* the node's own containerd runs or wants to */
    const struct hf_listing *listing; /* NULL: not known yet */
    uint64_t now_ns;
};

enum hf_alone_step_kind {
    HF_ALONE_REST,
    HF_ALONE_START_RUNTIME,
    HF_ALONE_STOP_RUNTIME,
    HF_ALONE_LIST,             /* the facts lack the listing */
    HF_ALONE_REMOVE_SANDBOX,   /* id */
    HF_ALONE_REMOVE_CONTAINER, /* id; it has ended, and is made again */
    HF_ALONE_RUN,              /* wish: the sandbox */
    HF_ALONE_CREATE,           /* wish, container, id of the sandbox */
    HF_ALONE_START,            /* wish, container, id of the container */
    HF_ALONE_STEPS,
};
extern const char *const hf_alone_step_names[HF_ALONE_STEPS];

struct hf_alone_step {
    enum hf_alone_step_kind kind;
    size_t wish, container;
    char id[HF_LISTING_ID];
};

struct hf_alone_step hf_alone_next(const struct hf_alone_facts *facts, struct hf_alone_wish *const *wishes, size_t n);

/* All containers of the wish run in a sandbox of ours. */
bool hf_alone_runs(const struct hf_listing *listing, const struct hf_alone_wish *wish);
/* None of ours is in the listing. */
bool hf_alone_nothing_left(const struct hf_listing *listing);
