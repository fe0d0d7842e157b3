/* controller/fleet/conductor.h - follows Nodes, EdgeNodes and EdgeUpdates, gives them to pkg/rollout, and performs what
 * it plans. Every replica follows, so that the next leader can decide at once; only the leader writes.
 *
 * Threads: loop thread only. Memory: borrows what the pointers of the parameters point to. */
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "kube/kube.h"
#include "loop/sched.h"
#include "rollout/engine.h"

struct hf_metrics; /* web/metrics.h */
struct hf_conductor;

/* Annotation of the Lease: "true" lets the leader delete more than 30 % of all EdgeNodes at once. */
#define HF_CONDUCTOR_ALLOW_COLLECT "edge.codcompass.io/allow-collect"

struct hf_conductor_params {
    struct hf_kube *kube;
    const struct hf_sched_ops *sched;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_metrics *metrics;
    struct hf_rollout_params rollout;
    const char *identity; /* name of this replica, for Events */
    bool (*leads)(void *arg);
    bool (*may_collect)(void *arg);               /* the annotation HF_CONDUCTOR_ALLOW_COLLECT is there */
    void (*saw_epoch)(void *arg, uint64_t epoch); /* an object has an epoch that is higher than all before */
    void *arg;
};

/* Starts to follow. Returns NULL on failure, with the reason in *err. */
struct hf_conductor *hf_conductor_new(const struct hf_conductor_params *params, struct hf_err *err);
void hf_conductor_free(struct hf_conductor *conductor);
HF_DEFINE_CLEANUP(struct hf_conductor, hf_conductor_free)

/* This process leads with this epoch, or leads no more (epoch 0). */
void hf_conductor_lead(struct hf_conductor *conductor, uint64_t epoch);

/* Returns true if all Nodes, EdgeNodes and EdgeUpdates have arrived. Otherwise writes the reason into reason[n]. */
bool hf_conductor_is_complete(const struct hf_conductor *conductor, char *reason, size_t n);

/* Returns true if no write waits and none is on its way. */
bool hf_conductor_is_idle(const struct hf_conductor *conductor);

/* Returns the best estimate of the API server's time of day. */
uint64_t hf_conductor_unix_ns(const struct hf_conductor *conductor);
