/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/cluster/cluster.h - the target Cluster: applies the objects of a bundle to the API server by server-side
 * apply, deletes objects that the entry no longer has, and checks objects for drift and health.
 *
 * The field manager is HF_CLUSTER_MANAGER. A run may be repeated from its start after a crash. The inventory is a JSON
 * array of the entry's objects in the cluster, in the order in which they are applied:
 *
 *     {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "site", "name": "web", "resource": "deployments",
 *      "uid": "...", "fields": "<hash of the fields that we own>"}
 *
 * `namespace` is absent for cluster-scoped objects; `uid` and `fields` are absent until the item is applied. A field
 * that somebody else changes is no longer ours for the API server, so the hash of our fields shows drift.
 *
 * Runs need an API server: with a MetaServer or a folder they end with Unsupported. All agents share one field manager,
 * so two nodes must not apply the same entry. Threads: loop thread only; a job parses the bundle. */
#pragma once

#include "manifests/env.h"
#include "manifests/outcome.h"
#include "manifests/source/bundle.h"

#define HF_CLUSTER_MANAGER "holdfast-manifests"

enum {
    HF_CLUSTER_PER_SECOND = 20, /* objects that a run begins to read, apply or delete in one second, at most */
    HF_CLUSTER_ATTEMPTS = 4,    /* of one request, if the server cannot answer it now */
};
/* ns from the start of a run, after which it repeats no request and waits for no object. If the server asks for a
 * longer pause (Retry-After), the run ends. */
#define HF_CLUSTER_TIME_NS (15 * 60 * HF_NS_PER_S)
/* ns that a run waits for a new kind or namespace */
#define HF_CLUSTER_CURRENT_NS (60 * HF_NS_PER_S)
#define HF_CLUSTER_GONE_NS (2 * 60 * HF_NS_PER_S) /* ns that a run waits for a deletion */

struct hf_cluster_run;

struct hf_cluster_apply_params {
    const struct hf_manifest_env *env; /* borrowed until the run ends */
    const char *entry;                 /* name of the entry; copied */
    /* copied; NULL if the entry is gone: the run deletes every object of the inventory that it may (`prune` is true) */
    const struct hf_bundle *bundle;
    const json_t *inventory; /* after the previous run; NULL: there was none; copied */
    /* Take over fields of other managers and objects of other entries; delete and create again an object of which a
     * changed field is immutable, but never a Namespace, CustomResourceDefinition, PersistentVolume(Claim), or an
     * object with HF_CLUSTER_PRUNE_ANNOTATION: disabled. */
    bool force;
    /* take over fields of other managers, which were ours before the drift, and nothing else of `force` */
    bool repair;
    /* Without `prune`: items that are not in the bundle stay in the inventory. If all objects of the bundle have been
     * applied before, `journal` is not called. */
    bool keep;
    bool prune; /* delete objects that are in the inventory and not in the bundle */
    /* a person has allowed a removal that the guard of removals would stop (hf_plan_may_prune()) */
    bool may_prune_beyond;
    /* Called before the first write, unless `bundle` is NULL (see also `keep`). `inventory` (borrowed) has every item
     * that the run may leave in the cluster; the caller makes it durable, then calls hf_cluster_run_journaled(). NULL:
     * the run writes at once. */
    void (*journal)(void *arg, const json_t *inventory);
    /* Called once, unless hf_cluster_run_free() is called earlier. The run has freed itself by then. The callee owns
     * outcome->inventory. */
    void (*done)(void *arg, const struct hf_manifest_outcome *outcome);
    void *arg;
};

/* Starts a run. No callback is called before the function returns. The outcome of a run is one of these:
 *   r = 0                       all objects are applied and the removals are done; the reason is Applied or
 *                               DriftRepaired, and `healthy` has no meaning
 *   Unsupported                 there is no API server that could apply objects
 *   NotManifests                a document is not an object of Kubernetes
 *   SourceEmpty, SourceTooLarge the bundle has no object, or too many
 *   Conflict                    another manager owns a field, or another entry applies the object; the message names it
 *   Immutable                   the server refuses to change a field, and `force` is not set or does not help (see
 *                               `force`)
 *   ApiRefused                  the server refuses for another cause: missing rights, an invalid object, an unknown
 *                               kind
 *   PruneLimit                  the guard of removals (hf_plan_may_prune()) stops the removal; nothing is applied
 *   NotReady                    a kind or namespace did not become usable, or a deleted object is not gone, in time
 *                               (r = -EAGAIN)
 *   ApiUnreachable              the server does not answer, or memory runs out (r = -EAGAIN)
 *   WriteFailed                 the inventory could not be made durable (r = -EAGAIN)
 * If the server refuses one object, the run applies the others and removes nothing; the message counts the failures and
 * quotes the first one, and outcome->answered is true. outcome->inventory is the one after the run. The function
 * returns 0, -E2BIG or -ENOMEM. */
HF_MUST_USE int hf_cluster_apply_start(const struct hf_cluster_apply_params *params, struct hf_cluster_run **ret_run,
                                       struct hf_err *err);
/* Lets a run continue after its `journal` callback, or from within it. `r`: 0 if the inventory is durable; with -errno
 * the run ends with SourceTooLarge (-E2BIG) or WriteFailed. */
void hf_cluster_run_journaled(struct hf_cluster_run *run, int r);

struct hf_cluster_check_params {
    const struct hf_manifest_env *env;                                  /* borrowed until the run ends */
    const char *entry;                                                  /* copied */
    const json_t *inventory;                                            /* copied */
    void (*done)(void *arg, const struct hf_manifest_outcome *outcome); /* as in hf_cluster_apply_params */
    void *arg;
};

/* Reads every item of the inventory with one GET each, and changes nothing. In the outcome, `drifted` counts objects
 * that are missing or have a field of ours changed; the message names up to five. `healthy`: every object is current
 * (manifests/cluster/health.h); otherwise the reason is HealthFailed if an object cannot become current, else NotReady,
 * and without drift the message names one. r < 0: an item could not be read; both have no meaning. */
HF_MUST_USE int hf_cluster_check_start(const struct hf_cluster_check_params *params, struct hf_cluster_run **ret_run,
                                       struct hf_err *err);

/* Ends a run without a call of its `done`. The server may still carry out a request that was sent. Accepts NULL. */
void hf_cluster_run_free(struct hf_cluster_run *run);
HF_DEFINE_CLEANUP(struct hf_cluster_run, hf_cluster_run_free)
