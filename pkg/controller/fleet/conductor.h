/* SPDX-License-Identifier: Apache-2.0 */
/* Watches Nodes, EdgeNodes and EdgeUpdates for the engine (rollout/engine.h), and performs its plans. Borrows what the
 * parameters point to. */
#pragma once

#include "controller/csr/node_binder.h"
#include "controller/labels/label_writer.h"
#include "controller/policies/policy_writer.h"
#include "kube/kube.h"
#include "rollout/engine.h"

struct hf_conductor;

/* The Lease's annotation ("true") by which an operator lets the engine delete EdgeNodes without Nodes even beyond 30 %
 * of all. */
#define HF_CONDUCTOR_ALLOW_COLLECT "edge.codcompass.io/allow-collect"

struct hf_conductor_params {
    struct hf_leader_env env;
    struct hf_rollout_params rollout;
    struct hf_label_writer *labels; /* `labels`, `binder`, `policies` get all Nodes and EdgeNodes; or NULL */
    struct hf_node_binder *binder;
    struct hf_policy_writer *policies;
    const char *identity;
    bool (*may_collect)(void *arg);
    /* when the server last answered; bytes of a watch do not count */
    uint64_t (*heard_ns)(void *arg);
    /* Called for an object's epoch above all accepted ones. Returns false if no leader can have had it. */
    bool (*saw_epoch)(void *arg, uint64_t epoch);
};

struct hf_conductor *hf_conductor_new(const struct hf_conductor_params *params, struct hf_err *err);
void hf_conductor_free(struct hf_conductor *conductor);
HF_DEFINE_CLEANUP(struct hf_conductor, hf_conductor_free)

/* `epoch` 0: this process does not lead. */
void hf_conductor_lead(struct hf_conductor *conductor, uint64_t epoch);

/* Whether every object has come; if not, `reason` says what is missing. */
bool hf_conductor_is_complete(const struct hf_conductor *conductor, char *reason, size_t n);

bool hf_conductor_is_idle(const struct hf_conductor *conductor);

/* Returns the time by the API server's last Date, or else by this machine's clock. */
uint64_t hf_conductor_unix_ns(const struct hf_conductor *conductor);
