/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/kubelet/health.h - waits until the static pods of an entry are ready, until one has failed, or until a
 * deadline passes.
 *
 * The functions look for the state of the pods in three places, in this order, until one answers. The first is the
 * kubelet of this node (GET /pods on 127.0.0.1:10250 with the credentials of the caller's client). The second is the
 * kubelet's read-only port (127.0.0.1:10255, if root listens there and no other user does). The third is the API
 * server, which has a mirror pod for each static pod; a MetaServer is not asked. They repeat this every second for the
 * first 20 rounds, then every five seconds.
 *
 * Threads: loop thread only. */
#pragma once

#include "manifests/env.h"
#include "manifests/kubelet/verdict.h"

enum { HF_KUBELET_MAX_PODS = 256 };
/* If none of the three places answers for this time in ns, the health is unknown. */
#define HF_KUBELET_SILENCE_NS (15 * HF_NS_PER_S)

/* Time in ns from the start after which the kubelet has read every file: by default it reads its folder every 20 s,
 * even if it has missed a change. So after this time, the pods that the kubelet itself lists are those of the new
 * files. A mirror pod does not prove this, because it stays as it is while the old pod ends, and while the kubelet is
 * down. A pod that is `unsure` (kubelet/verdict.h) counts as not ready until this time has passed, or until half of the
 * deadline has passed if that is earlier. */
#define HF_KUBELET_READ_NS (25 * HF_NS_PER_S)

struct hf_kubelet_health_params {
    const struct hf_manifest_env *env; /* borrowed until the end; uses fs, clock, sched, http, kube and node_name */
    /* Client for https://127.0.0.1:10250, with the CA of the cluster and the agent's credentials. NULL: skip the first
     * place. */
    const struct hf_http_ops *kubelet;
    const json_t *wanted; /* as in hf_kubelet_verdict_of(), with at most HF_KUBELET_MAX_PODS members; copied */
    /* time limit in ns from the start; 0 to ask only once, for example to learn the pods' hashes */
    uint64_t deadline_ns;
    /* Called once. verdict->state is HF_KUBELET_PENDING if the deadline has passed, and either a pod is still not ready
     * or nothing has shown that the kubelet has read the new files (verdict->unread). `pods` is an array with the pods
     * of the last answer, or NULL if the state is HF_KUBELET_UNKNOWN. Both are borrowed. */
    void (*done)(void *arg, const struct hf_kubelet_verdict *verdict, const json_t *pods);
    void *arg;
};

struct hf_kubelet_health;

/* Starts the wait. `done` is not called before the function returns. The struct frees itself before it calls `done`.
 * -ENOMEM: out of memory. -E2BIG: `wanted` has too many members. */
HF_MUST_USE int hf_kubelet_health_start(const struct hf_kubelet_health_params *params,
                                        struct hf_kubelet_health **ret_health, struct hf_err *err);
/* Ends the wait without a call of `done`. Accepts NULL. */
void hf_kubelet_health_free(struct hf_kubelet_health *health);
HF_DEFINE_CLEANUP(struct hf_kubelet_health, hf_kubelet_health_free)
