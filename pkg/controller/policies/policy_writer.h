/* SPDX-License-Identifier: Apache-2.0 */
/* controller/policies/policy_writer.h - writes the status of SyncPolicies: on how many nodes each is selected and in
 * effect. It follows the SyncPolicies itself; the controller passes in the Nodes and EdgeNodes that it watches anyway.
 *
 * Only the leader writes, and only a status that differs. However large the fleet is and however often its nodes
 * report, it writes at most HF_POLICY_WRITER_PER_S statuses in a second, and each policy at most once in ten seconds.
 * Each write carries the resourceVersion of the policy that it was decided on.
 *
 * Threads: loop thread only. Memory: the SyncPolicies as trees, and what controller/policies/policy_tally.h keeps. */
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "kube/call.h"
#include "loop/sched.h"

struct hf_metrics; /* web/metrics.h */
struct hf_policy_writer;

enum { HF_POLICY_WRITER_PER_S = 2 };

struct hf_policy_writer_params {
    struct hf_kube *kube;
    const struct hf_sched_ops *sched;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_metrics *metrics;
    bool (*leads)(void *arg);       /* returns true if this process leads now */
    bool (*is_complete)(void *arg); /* returns true if all Nodes and EdgeNodes have come */
    uint64_t (*unix_ns)(void *arg); /* returns the time of day of the API server */
    void *arg;
};

/* Starts to watch SyncPolicies. Returns NULL on failure, with the reason in *err. */
struct hf_policy_writer *hf_policy_writer_new(const struct hf_policy_writer_params *params, struct hf_err *err);
void hf_policy_writer_free(struct hf_policy_writer *writer);
HF_DEFINE_CLEANUP(struct hf_policy_writer, hf_policy_writer_free)

/* Call a _take function when a Node or an EdgeNode is new or has changed, and a _drop function when it is gone. If
 * `writer` is NULL, these functions do nothing. */
void hf_policy_writer_take_node(struct hf_policy_writer *writer, const json_t *node);
void hf_policy_writer_take_edgenode(struct hf_policy_writer *writer, const json_t *edgenode);
void hf_policy_writer_drop_node(struct hf_policy_writer *writer, const char *name);
void hf_policy_writer_drop_edgenode(struct hf_policy_writer *writer, const char *name);

/* Call this function when this process begins to lead. If `writer` is NULL, it does nothing. */
void hf_policy_writer_lead(struct hf_policy_writer *writer);
