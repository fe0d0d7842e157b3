/* SPDX-License-Identifier: Apache-2.0 */
/* The target Cluster: applies a bundle's objects, may remove those that the entry no longer has, looks for drift
 * and health. A run may be repeated after a crash.
 *
 * All agents share one field manager: two nodes must not apply the same entry. */
#pragma once

#include "manifests/env.h"
#include "manifests/outcome.h"
#include "manifests/source/bundle.h"

#define HF_CLUSTER_MANAGER "holdfast-manifests"

enum {
    HF_CLUSTER_PER_SECOND = 20,
};
/* Time after the start of a run in which it repeats requests and waits for objects. */
#define HF_CLUSTER_TIME_NS (15 * 60 * HF_NS_PER_S)
/* how long a run waits for a new kind or namespace */
#define HF_CLUSTER_CURRENT_NS (60 * HF_NS_PER_S)

struct hf_cluster_run;

struct hf_cluster_apply_params {
    const struct hf_manifest_env *env; /* borrowed until the run ends */
    const char *entry;                 /* copied */
    /* copied; NULL: the entry is gone, and its objects are deleted as far as they may be (`prune` is true) */
    const struct hf_bundle *bundle;
    const json_t *inventory; /* of the previous run; NULL: none; copied */
    /* Take over fields of other managers and objects of other entries. If a changed field is immutable, delete the
     * object and create it again, except a Namespace, CustomResourceDefinition, PersistentVolume(Claim), or an object
     * with HF_CLUSTER_PRUNE_ANNOTATION: disabled. */
    bool force;
    /* of what `force` does, only take over fields of other managers */
    bool repair;
    /* Without `prune`: the inventory keeps items that the bundle lacks. `journal` is not called if all objects were
     * applied before. */
    bool keep;
    bool prune; /* delete our objects of the inventory that the bundle lacks */
    /* remove even more than hf_plan_may_prune() allows */
    bool may_prune_beyond;
    /* Called before the first write, unless `bundle` is NULL (see also `keep`). The callee makes `inventory` durable
     * (borrowed; all that the run may leave in the cluster), then calls hf_cluster_run_journaled(). NULL: the run
     * writes at once. */
    void (*journal)(void *arg, const json_t *inventory);
    /* Called once, after the run is freed. The callee owns outcome->inventory. */
    void (*done)(void *arg, const struct hf_manifest_outcome *outcome);
    void *arg;
};

/* Starts a run; no callback comes before the return. -E2BIG. Outcomes:
 *   r = 0                       no failure: Applied or DriftRepaired; `healthy` has no meaning
 *   Unsupported                 no API server could apply objects
 *   NotManifests                a document is not an object of Kubernetes, or an object stands twice
 *   SourceEmpty, SourceTooLarge no object, or too much
 *   Conflict                    another manager owns a field, or another entry the object
 *   Immutable                   the server refuses to change a field, and `force` is not set or does not help
 *   ApiRefused                  refused for another cause, such as missing rights, invalid object, unknown kind
 *   PruneLimit                  hf_plan_may_prune() stops the removal; nothing is applied
 *   NotReady                    a kind or namespace not usable, or a deleted object not gone, in time (-EAGAIN)
 *   ApiUnreachable              such as no usable answer, or no memory (-EAGAIN)
 *   WriteFailed                 the inventory is not durable (-EAGAIN)
 * If the server refuses to apply an object, the run goes on, but removes nothing; the message quotes the first failure
 * (and counts several), and outcome->answered is true. */
HF_MUST_USE int hf_cluster_apply_start(const struct hf_cluster_apply_params *params, struct hf_cluster_run **ret_run,
                                       struct hf_err *err);
/* Continues the run, also from within `journal`. `r`: 0, or -errno, which ends the run with SourceTooLarge (-E2BIG) or
 * WriteFailed. */
void hf_cluster_run_journaled(struct hf_cluster_run *run, int r);

struct hf_cluster_check_params {
    const struct hf_manifest_env *env;
    const char *entry;       /* copied */
    const json_t *inventory; /* copied */
    void (*done)(void *arg, const struct hf_manifest_outcome *outcome);
    void *arg;
};

/* Reads each applied item with a GET. outcome->drifted counts objects that are missing, replaced, or have a field of
 * ours changed. `healthy`: all are current; otherwise HealthFailed (one cannot become current) or NotReady. r < 0:
 * Unsupported, or an item could not be read, and is not in `drifted`. */
HF_MUST_USE int hf_cluster_check_start(const struct hf_cluster_check_params *params, struct hf_cluster_run **ret_run,
                                       struct hf_err *err);

/* No `done` follows. The server may still carry out a request. */
void hf_cluster_run_free(struct hf_cluster_run *run);
HF_DEFINE_CLEANUP(struct hf_cluster_run, hf_cluster_run_free)
