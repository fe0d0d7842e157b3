/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes the Lease (controller/lead/lease.h). Borrows what the parameters point to. */
#pragma once

#include "controller/lead/lease.h"
#include "kube/call.h"
#include "loop/world.h"

struct hf_leader;

struct hf_leader_params {
    struct hf_kube *kube;
    struct hf_world world; /* not its fs; wall clock only for texts */
    const char *ns, *name;
    const char *identity;
    bool alone;                                 /* no Lease */
    void (*changed)(void *arg, uint64_t epoch); /* 0: no longer leads. */
    /* The server continues from a restored backup: list again. May be NULL. */
    void (*went_back)(void *arg);
    void *arg;
};

/* `changed` comes later. */
struct hf_leader *hf_leader_new(const struct hf_leader_params *params, struct hf_err *err);
/* Releases no Lease: it expires by itself. */
void hf_leader_free(struct hf_leader *leader);
HF_DEFINE_CLEANUP(struct hf_leader, hf_leader_free)

/* Ask before each effect. */
bool hf_leader_leads(const struct hf_leader *leader);

/* Server's last answer, or 0. */
uint64_t hf_leader_heard_ns(const struct hf_leader *leader);

/* hf_lease_floor(). */
bool hf_leader_floor(struct hf_leader *leader, uint64_t epoch);

/* Valid until the next answer. */
const char *hf_leader_annotation(const struct hf_leader *leader, const char *key);

/* Stops leading, releases the Lease, then calls `released`, maybe at once; each request takes 5 s at most. A second
 * call has no effect. */
void hf_leader_release(struct hf_leader *leader, void (*released)(void *arg), void *arg);
