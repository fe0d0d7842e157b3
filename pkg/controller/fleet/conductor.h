/* SPDX-License-Identifier: Apache-2.0 */
/* controller/fleet/conductor.h - watches Nodes, EdgeNodes and EdgeUpdates, passes them to the engine
 * (rollout/engine.h), and performs what the engine plans. Every replica watches, so that the next leader can decide at
 * once; only the leader writes.
 *
 * Threads: loop thread only. Memory: the caller keeps what the pointers in the parameters point to. */
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "controller/csr/node_binder.h"
#include "controller/labels/label_writer.h"
#include "controller/policies/policy_writer.h"
#include "kube/kube.h"
#include "loop/sched.h"
#include "rollout/engine.h"

struct hf_metrics; /* web/metrics.h */
struct hf_conductor;

/* Annotation of the Lease: "true" lets the leader delete EdgeNodes without a Node, even if these are more than 30 % of
 * all EdgeNodes. */
#define HF_CONDUCTOR_ALLOW_COLLECT "edge.codcompass.io/allow-collect"

struct hf_conductor_params {
    struct hf_kube *kube;
    const struct hf_sched_ops *sched;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_metrics *metrics;
    struct hf_rollout_params rollout;
    struct hf_label_writer *labels;    /* gets every Node and EdgeNode; NULL if this controller writes no labels */
    struct hf_node_binder *binder;     /* the same; NULL: nobody writes the Node's uid into EdgeNodes */
    struct hf_policy_writer *policies; /* gets every Node and EdgeNode; NULL: nobody counts them for SyncPolicies */
    const char *identity;              /* name of this replica, for Events */
    bool (*leads)(void *arg);          /* returns true if this process leads now */
    /* returns true if the Lease has the annotation HF_CONDUCTOR_ALLOW_COLLECT with the value "true" */
    bool (*may_collect)(void *arg);
    /* returns the monotonic time of the API server's last answer to this process, other than bytes of a watch; 0 if
     * unknown */
    uint64_t (*heard_ns)(void *arg);
    /* Called when an object has a higher epoch than all objects before it. Returns false if no leader can have had this
     * epoch; it may be called again with the same epoch then. */
    bool (*saw_epoch)(void *arg, uint64_t epoch);
    void *arg;
};

/* Starts to watch. Returns NULL on failure, with the reason in *err. */
struct hf_conductor *hf_conductor_new(const struct hf_conductor_params *params, struct hf_err *err);
void hf_conductor_free(struct hf_conductor *conductor);
HF_DEFINE_CLEANUP(struct hf_conductor, hf_conductor_free)

/* Call this function when this process begins to lead or leads with another epoch. Also call it, with epoch = 0, when
 * this process ceases to lead. */
void hf_conductor_lead(struct hf_conductor *conductor, uint64_t epoch);

/* Returns true if all Nodes, EdgeNodes and EdgeUpdates have arrived. Otherwise writes the reason into reason[n]. */
bool hf_conductor_is_complete(const struct hf_conductor *conductor, char *reason, size_t n);

/* Returns true if no write waits and no write is on its way. */
bool hf_conductor_is_idle(const struct hf_conductor *conductor);

/* Returns the best estimate of the API server's time of day: by its last Date, or by the clock of this machine before
 * the first Date. */
uint64_t hf_conductor_unix_ns(const struct hf_conductor *conductor);
