/* SPDX-License-Identifier: Apache-2.0 */
/* Decides from facts and wishes whether the node is alone, and the next step. After the step, new facts decide again,
 * so a crash loses nothing. Pure. Threads: any. */
#pragma once

#include "alone/listing.h"
#include "alone/translate.h"
#include "base/clock.h"

enum hf_alone_presence {
    HF_ALONE_KUBELET, /* a kubelet answers: no pod of ours may run */
    HF_ALONE_WAITING, /* no kubelet, but only for a short time: what runs stays, nothing starts */
    HF_ALONE_ALONE,
};

struct hf_alone_evidence {
    bool kubelet_answers;
    bool server_answers;
    bool was_alone; /* the node was judged alone: the server's answer no longer counts */
    uint64_t uptime_ns;
    /* time since this process last saw a kubelet, or since its start */
    uint64_t unseen_ns;
    bool seen;
};

enum hf_alone_presence hf_alone_judge(const struct hf_alone_evidence *evidence);

struct hf_alone_retry {
    unsigned failures;
    uint64_t not_before_ns;
};

/* A pod to run. */
struct hf_alone_wish {
    struct hf_alone_pod pod;
    char twin[HF_ALONE_NAME + 64]; /* name of the kubelet's own instance: <name>-<node> */
    struct hf_alone_retry retry[1 + HF_ALONE_MAX_CONTAINERS];
};

/* Returns the pause after failures: 0, then 1 s, doubled up to 60 s. */
uint64_t hf_alone_retry_wait_ns(unsigned failures);

struct hf_alone_facts {
    enum hf_alone_presence presence;
    bool own_runtime;   /* our containerd runs or wants to */
    bool other_runtime; /* the node's containerd runs or wants to */
    const struct hf_listing *listing;
    uint64_t now_ns;
};

enum hf_alone_step_kind {
    HF_ALONE_REST,
    HF_ALONE_START_RUNTIME,
    HF_ALONE_STOP_RUNTIME,
    HF_ALONE_LIST,
    HF_ALONE_REMOVE_SANDBOX, /* removes sandbox `id` */
    HF_ALONE_REMOVE_CONTAINER,
    HF_ALONE_RUN,    /* makes a wish's sandbox */
    HF_ALONE_CREATE, /* creates a wish's container in sandbox `id` */
    HF_ALONE_START,  /* starts a wish's container `id` */
    HF_ALONE_STEPS,
};
extern const char *const hf_alone_step_names[HF_ALONE_STEPS];

struct hf_alone_step {
    enum hf_alone_step_kind kind;
    size_t wish, container;
    char id[HF_LISTING_ID];
};

struct hf_alone_step hf_alone_next(const struct hf_alone_facts *facts, struct hf_alone_wish *const *wishes, size_t n);

/* Whether the wish's containers all run in a sandbox of ours. */
bool hf_alone_runs(const struct hf_listing *listing, const struct hf_alone_wish *wish);
bool hf_alone_nothing_left(const struct hf_listing *listing);
