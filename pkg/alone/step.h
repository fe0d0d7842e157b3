/* SPDX-License-Identifier: Apache-2.0 */
/* Is the node alone, and what is next? Pure: facts and wishes in, a step out; the facts after it decide again, so a
 * crash loses nothing. Threads: any. */
#pragma once

#include "alone/listing.h"
#include "alone/translate.h"
#include "base/clock.h"

enum hf_alone_presence {
    HF_ALONE_KUBELET, /* there is one: nothing of ours may run */
    HF_ALONE_WAITING, /* not long enough: what runs stays, nothing starts */
    HF_ALONE_ALONE,
};

struct hf_alone_evidence {
    bool kubelet_answers;
    bool server_answers;
    bool was_alone;     /* at the last judgement: what has begun goes on */
    uint64_t uptime_ns; /* machine's */
    /* since this process saw a kubelet, or its start */
    uint64_t unseen_ns;
    bool seen; /* by this process */
};

enum hf_alone_presence hf_alone_judge(const struct hf_alone_evidence *evidence);

struct hf_alone_retry {
    unsigned failures;
    uint64_t not_before_ns; /* mono */
};

/* `retry`: sandbox, then containers. */
struct hf_alone_wish {
    struct hf_alone_pod pod;
    char twin[HF_ALONE_NAME + 64]; /* as the kubelet names it: <name>-<node> */
    struct hf_alone_retry retry[1 + HF_ALONE_MAX_CONTAINERS];
};

/* 0, then 1 s, doubled to 60 s. */
uint64_t hf_alone_retry_wait_ns(unsigned failures);

struct hf_alone_facts {
    enum hf_alone_presence presence;
    bool own_runtime;                 /* with containerd, is active */
    bool other_runtime;               /* the node's containerd runs or wants to */
    const struct hf_listing *listing; /* NULL: unknown */
    uint64_t now_ns;
};

enum hf_alone_step_kind {
    HF_ALONE_REST,
    HF_ALONE_START_RUNTIME,
    HF_ALONE_STOP_RUNTIME,
    HF_ALONE_LIST,             /* for the facts */
    HF_ALONE_REMOVE_SANDBOX,   /* id */
    HF_ALONE_REMOVE_CONTAINER, /* id; ended, made again */
    HF_ALONE_RUN,              /* wish: sandbox */
    HF_ALONE_CREATE,           /* wish, container, sandbox's id */
    HF_ALONE_START,            /* wish, container, its id */
    HF_ALONE_STEPS,
};
extern const char *const hf_alone_step_names[HF_ALONE_STEPS];

struct hf_alone_step {
    enum hf_alone_step_kind kind;
    size_t wish, container;
    char id[HF_LISTING_ID];
};

struct hf_alone_step hf_alone_next(const struct hf_alone_facts *facts, struct hf_alone_wish *const *wishes, size_t n);

/* All its containers, in our sandbox. */
bool hf_alone_runs(const struct hf_listing *listing, const struct hf_alone_wish *wish);
/* None of ours is in the listing. */
bool hf_alone_nothing_left(const struct hf_listing *listing);
