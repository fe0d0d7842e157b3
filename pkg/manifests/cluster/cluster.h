/* SPDX-License-Identifier: Apache-2.0 */
/* The target Cluster: server-side apply of a bundle's objects, removal of those that the entry no longer has, drift and
 * health. A run may be repeated from its start after a crash.
 *
 * All agents share one field manager: two nodes must not apply the same entry. Threads: loop thread only; a job parses
 * the bundle. */
#pragma once

#include "manifests/env.h"
#include "manifests/outcome.h"
#include "manifests/source/bundle.h"

#define HF_CLUSTER_MANAGER "holdfast-manifests"

enum {
    HF_CLUSTER_PER_SECOND = 20, /* objects read, applied or deleted in one second, at most */
    HF_CLUSTER_ATTEMPTS = 4,    /* at one request that the server cannot answer now */
};
/* After this a run repeats no request and waits for no object. A longer Retry-After ends it. */
#define HF_CLUSTER_TIME_NS (15 * 60 * HF_NS_PER_S)
/* a run waits so long for a new kind or namespace */
#define HF_CLUSTER_CURRENT_NS (60 * HF_NS_PER_S)
#define HF_CLUSTER_GONE_NS (2 * 60 * HF_NS_PER_S) /* wait for a deletion */

struct hf_cluster_run;

struct hf_cluster_apply_params {
    const struct hf_manifest_env *env; /* borrowed until the run ends */
    const char *entry;                 /* copied */
    /* copied; NULL: the entry is gone, and each object of the inventory that may go (`prune` is true) is deleted */
    const struct hf_bundle *bundle;
    const json_t *inventory; /* of the previous run; NULL: none; copied */
    /* Take over fields of other managers and objects of other entries; delete and create again an object of which a
     * changed field is immutable, but never a Namespace, CustomResourceDefinition, PersistentVolume(Claim), or an
     * object with HF_CLUSTER_PRUNE_ANNOTATION: disabled. */
    bool force;
    /* take over fields that were ours before the drift, and nothing else of `force` */
    bool repair;
    /* Without `prune`: items that the bundle lacks stay in the inventory. If all its objects have been applied before,
     * `journal` is not called. */
    bool keep;
    bool prune; /* delete objects of the inventory that the bundle lacks */
    /* a person has allowed what hf_plan_may_prune() would stop */
    bool may_prune_beyond;
    /* Before the first write, unless `bundle` is NULL (see also `keep`): the caller makes `inventory` (borrowed), which
     * has every item that the run may leave, durable, then calls hf_cluster_run_journaled(). NULL: the run writes at
     * once. */
    void (*journal)(void *arg, const json_t *inventory);
    /* Once, unless hf_cluster_run_free() comes first. The run is freed; the callee owns outcome->inventory. */
    void (*done)(void *arg, const struct hf_manifest_outcome *outcome);
    void *arg;
};

/* Starts a run; no callback comes before it returns 0, -E2BIG or -ENOMEM. Outcomes:
 *   r = 0                       all objects are applied, the removals done: Applied or DriftRepaired; `healthy` has no
 *                               meaning
 *   Unsupported                 no API server could apply objects
 *   NotManifests                a document is not an object of Kubernetes
 *   SourceEmpty, SourceTooLarge no object, or too many
 *   Conflict                    another manager owns a field, or another entry applies the object; the message names it
 *   Immutable                   the server refuses to change a field, and `force` is not set or does not help
 *   ApiRefused                  refused for another cause: missing rights, an invalid object, an unknown kind
 *   PruneLimit                  hf_plan_may_prune() stops the removal; nothing is applied
 *   NotReady                    a kind or namespace not usable, or a deleted object not gone, in time (r = -EAGAIN)
 *   ApiUnreachable              the server does not answer, or memory runs out (r = -EAGAIN)
 *   WriteFailed                 the inventory could not be made durable (r = -EAGAIN)
 * If the server refuses one object, the others are applied and nothing is removed; the message counts the failures and
 * quotes the first, and outcome->answered is true. outcome->inventory is the one after the run. */
HF_MUST_USE int hf_cluster_apply_start(const struct hf_cluster_apply_params *params, struct hf_cluster_run **ret_run,
                                       struct hf_err *err);
/* May be called from within `journal`. `r`: 0, or -errno, which ends the run with SourceTooLarge (-E2BIG) or
 * WriteFailed. */
void hf_cluster_run_journaled(struct hf_cluster_run *run, int r);

struct hf_cluster_check_params {
    const struct hf_manifest_env *env;
    const char *entry;                                                  /* copied */
    const json_t *inventory;                                            /* copied */
    void (*done)(void *arg, const struct hf_manifest_outcome *outcome); /* as in hf_cluster_apply_params */
    void *arg;
};

/* One GET per item. outcome->drifted counts objects that are missing or have a field of ours changed; the message names
 * up to five. `healthy`: all are current (cluster/health.h); else HealthFailed (one cannot become current) or NotReady,
 * and without drift the message names one. r < 0: an item could not be read, and both have no meaning. */
HF_MUST_USE int hf_cluster_check_start(const struct hf_cluster_check_params *params, struct hf_cluster_run **ret_run,
                                       struct hf_err *err);

/* Ends the run without `done`. The server may still carry out a request that was sent. */
void hf_cluster_run_free(struct hf_cluster_run *run);
HF_DEFINE_CLEANUP(struct hf_cluster_run, hf_cluster_run_free)
