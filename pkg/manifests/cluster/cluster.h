/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/cluster/cluster.h - the target Cluster: applies the objects of a bundle to the API server by server-side
 * apply, deletes objects that the entry no longer has, and checks objects for drift and health.
 *
 * The field manager is HF_CLUSTER_MANAGER. Applying the same bundle again changes nothing, so after a crash the caller
 * can repeat a run from its start. The inventory is a JSON array that lists the objects in the cluster that belong to
 * the entry, in the order in which they are applied. Each item has this form:
 *
 *     {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "site", "name": "web", "resource": "deployments",
 *      "uid": "...", "fields": "<hash of the fields that we own>"}
 *
 * `namespace` is absent for cluster-scoped objects. `uid` and `fields` are absent until the item is applied. When
 * somebody else changes the value of a field that we own, the API server no longer lists this field as ours. So the
 * hash of our fields shows drift, and one GET is enough to find it.
 *
 * Runs need an API server: if the agent uses a MetaServer, or reads desired state from a folder, they end with the
 * reason Unsupported. All agents share one field manager, so two nodes must not apply the same entry; the target is
 * meant for clusters of one node.
 *
 * Threads: loop thread only; a job parses the bundle. Memory: the comments on the parameters say what a run copies and
 * what it borrows. */
#pragma once

#include "manifests/env.h"
#include "manifests/outcome.h"
#include "manifests/source/bundle.h"

#define HF_CLUSTER_MANAGER "holdfast-manifests"

enum {
    HF_CLUSTER_PER_SECOND = 20, /* maximum number of objects that a run begins to read, apply or delete in one second */
    HF_CLUSTER_ATTEMPTS = 4,    /* number of times that a run sends a request if the server cannot answer it now */
};
/* time in ns from the start of a run; after this time, the run no longer repeats requests that the server could not
 * answer, and no longer waits for objects. The server may ask for a longer pause (Retry-After); the run then ends. */
#define HF_CLUSTER_TIME_NS (15 * 60 * HF_NS_PER_S)
/* time in ns that a run waits until a new kind or namespace is usable */
#define HF_CLUSTER_CURRENT_NS (60 * HF_NS_PER_S)
#define HF_CLUSTER_GONE_NS (2 * 60 * HF_NS_PER_S) /* time in ns that a run waits until a deleted object is gone */

struct hf_cluster_run;

struct hf_cluster_apply_params {
    const struct hf_manifest_env *env; /* borrowed until the run ends */
    const char *entry;                 /* name of the entry; copied */
    /* The objects to apply; the run copies the texts. NULL if the entry is gone: the run then deletes every object of
     * the inventory that it may delete (`prune` must be true). */
    const struct hf_bundle *bundle;
    const json_t *inventory; /* the inventory after the entry's previous run; NULL if there was none; copied */
    /* Take over fields of other managers, and objects of other entries. If the server calls a changed field immutable,
     * delete the object and create it again. But never delete a Namespace, CustomResourceDefinition, PersistentVolume
     * or PersistentVolumeClaim, or an object with the annotation HF_CLUSTER_PRUNE_ANNOTATION: disabled. */
    bool force;
    /* take over fields of other managers, because the fields were ours before the drift; unlike `force`, take over no
     * object of another entry, and delete no object to create it again */
    bool repair;
    /* Without `prune`: keep items in the inventory that are not in the bundle, instead of dropping them. If all objects
     * of the bundle have been applied before, `journal` is not called, because the inventory on disk has them. */
    bool keep;
    bool prune; /* delete objects that are in the inventory and not in the bundle */
    /* a person has allowed a removal that the guard of removals would stop (hf_plan_may_prune()) */
    bool may_prune_beyond;
    /* Called before the first write. `inventory` (borrowed) has every item that the run may leave in the cluster. The
     * caller makes this inventory durable, and then calls hf_cluster_run_journaled(). So after a crash the inventory
     * lacks no object. If this pointer is NULL, the run writes at once. Not called if `bundle` is NULL (see also
     * `keep`). */
    void (*journal)(void *arg, const json_t *inventory);
    /* Called once, unless hf_cluster_run_free() is called earlier. The run has freed itself by then; do not use it any
     * more. The callee owns outcome->inventory. */
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
 * If the server refuses one object, the run still applies the others; the message counts the failures and quotes the
 * first one, and outcome->answered is true. If an object fails, the run removes nothing. outcome->inventory is the
 * inventory after the run. The function returns 0, or -ENOMEM if memory runs out. */
HF_MUST_USE int hf_cluster_apply_start(const struct hf_cluster_apply_params *params, struct hf_cluster_run **ret_run,
                                       struct hf_err *err);
/* Lets a run continue after its `journal` callback; may be called from within that callback. `r` is 0 if the inventory
 * is durable. Otherwise `r` is -errno, and the run ends with the reason SourceTooLarge (-E2BIG) or WriteFailed. */
void hf_cluster_run_journaled(struct hf_cluster_run *run, int r);

struct hf_cluster_check_params {
    const struct hf_manifest_env *env;                                  /* borrowed until the run ends */
    const char *entry;                                                  /* copied */
    const json_t *inventory;                                            /* copied */
    void (*done)(void *arg, const struct hf_manifest_outcome *outcome); /* as in hf_cluster_apply_params */
    void *arg;
};

/* Reads every item of the inventory with one GET each, and changes nothing. In the outcome, `drifted` is the number of
 * objects that are missing, or in which somebody changed a field of ours; the message names up to five of them.
 * `healthy` is true if every object exists and is current (manifests/cluster/health.h). If `healthy` is false, the
 * reason is HealthFailed if an object cannot become current, and NotReady otherwise; without drift, the message names
 * an object that is not current. If an item could not be read (the server did not answer, or refused), r is negative,
 * and `drifted` and `healthy` have no meaning. */
HF_MUST_USE int hf_cluster_check_start(const struct hf_cluster_check_params *params, struct hf_cluster_run **ret_run,
                                       struct hf_err *err);

/* Ends a run without a call of its `done`. The server may still carry out a request that the run has already sent.
 * Accepts NULL. */
void hf_cluster_run_free(struct hf_cluster_run *run);
HF_DEFINE_CLEANUP(struct hf_cluster_run, hf_cluster_run_free)
