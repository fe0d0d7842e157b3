/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes the Lease (controller/lead/lease.h). Borrows what the parameters point to. */
#pragma once

#include "controller/lead/lease.h"
#include "kube/call.h"
#include "loop/world.h"

struct hf_leader;

struct hf_leader_params {
    struct hf_kube *kube;
    struct hf_world world;
    const char *ns, *name;
    const char *identity;
    bool alone;                                 /* leads without a Lease */
    void (*changed)(void *arg, uint64_t epoch); /* epoch 0: this process no longer leads */
    /* The server runs from a restored backup: list again. May be NULL. */
    void (*went_back)(void *arg);
    void *arg;
};

/* Does not call `changed` before it returns. */
struct hf_leader *hf_leader_new(const struct hf_leader_params *params, struct hf_err *err);
/* Does not release the Lease. */
void hf_leader_free(struct hf_leader *leader);
HF_DEFINE_CLEANUP(struct hf_leader, hf_leader_free)

/* Ask this before each effect. */
bool hf_leader_leads(const struct hf_leader *leader);

/* Returns the monotonic time of the last answer that says how the Lease is, or 0. */
uint64_t hf_leader_heard_ns(const struct hf_leader *leader);

bool hf_leader_floor(struct hf_leader *leader, uint64_t epoch);

/* Returns the Lease's annotation, valid until the next answer. */
const char *hf_leader_annotation(const struct hf_leader *leader, const char *key);

/* Stops leading, releases the Lease, then calls `released`, maybe at once; each request takes 5 s at most. */
void hf_leader_release(struct hf_leader *leader, void (*released)(void *arg), void *arg);
