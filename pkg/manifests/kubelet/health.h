/* SPDX-License-Identifier: Apache-2.0 */
/* Waits until an entry's static pods are ready, one has failed, nobody answers, or a deadline passes. */
#pragma once

#include "manifests/env.h"
#include "manifests/kubelet/verdict.h"

enum { HF_KUBELET_MAX_PODS = 256 };

struct hf_kubelet_health_params {
    const struct hf_manifest_env *env; /* borrowed until the end: fs, clock, sched, http, kube, node_name */
    const struct hf_http_ops *kubelet;
    const json_t *wanted; /* as for hf_kubelet_verdict_of(), at most HF_KUBELET_MAX_PODS; copied */
    /* time after the start; 0: ask once */
    uint64_t deadline_ns;
    /* Called once, after the struct is freed. HF_KUBELET_PENDING: the deadline has come first. `pods`: those of the
     * last answer, or NULL if HF_KUBELET_UNKNOWN. Both borrowed. */
    void (*done)(void *arg, const struct hf_kubelet_verdict *verdict, const json_t *pods);
    void *arg;
};

struct hf_kubelet_health;

/* `done` comes after the return. -E2BIG: too many in `wanted`. */
HF_MUST_USE int hf_kubelet_health_start(const struct hf_kubelet_health_params *params,
                                        struct hf_kubelet_health **ret_health, struct hf_err *err);
/* No `done` follows. */
void hf_kubelet_health_free(struct hf_kubelet_health *health);
HF_DEFINE_CLEANUP(struct hf_kubelet_health, hf_kubelet_health_free)
