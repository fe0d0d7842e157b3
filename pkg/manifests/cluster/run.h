/* SPDX-License-Identifier: Apache-2.0 */
/* What the runs that apply and the runs that check share: a chain of steps, each with one request. */
#pragma once

#include "base/backoff.h"
#include "kube/call.h"
#include "manifests/cluster/cluster.h"
#include "manifests/cluster/item.h"
#include "manifests/cluster/kinds.h"
#include "manifests/cluster/parse.h"
#include "manifests/cluster/refusal.h"
#include "manifests/rules/diff.h"

struct hf_cluster_step {
    /* Turns `call`, a GET of the current object, into the step's request. run->body owns its body. 0 or -ENOMEM. */
    int (*ask)(struct hf_cluster_run *run, struct hf_kube_call *call);
    /* Takes the final answer: the request was carried out, was refused, or failed though the server answers
     * others. Starts the next step, waits, or ends the run. */
    void (*taken)(struct hf_cluster_run *run, const struct hf_kube_answer *answer);
    /* a conflict (409) goes to `taken`; the request is not repeated */
    bool takes_conflict;
};

/* The object that the run works on; borrowed from set, kinds or inventory. */
struct hf_cluster_now {
    struct hf_cluster_id id;
    const char *resource;
    json_t *item;                           /* in run->inventory; NULL: none */
    const struct hf_cluster_object *object; /* in run->set; NULL: only in the inventory */
    /* as hf_cluster_run_note() last noted it */
    char uid[64];
    char fields[HF_CLUSTER_FIELDS_HEX];
    char version[64];
    bool kept;     /* its annotation forbids deletion */
    bool replaced; /* this run deletes and creates it again */
};

struct hf_cluster_run {
    const struct hf_manifest_env *env;
    char *entry;
    bool force, repair, keep, prune, may_prune_beyond;
    void (*journal)(void *arg, const json_t *inventory);
    void (*done)(void *arg, const struct hf_manifest_outcome *outcome);
    void *arg;

    struct hf_cluster_parse *parse;
    struct hf_cluster_set set;
    struct hf_cluster_kinds kinds;
    json_t *inventory;
    json_t *doomed; /* items that the set lacks, in order of deletion */

    struct hf_kube_pending *pending;
    struct hf_timer *timer;
    void (*wake)(struct hf_cluster_run *run);
    void (*after)(struct hf_cluster_run *run);
    const struct hf_cluster_step *step;
    json_t *body;
    struct hf_backoff backoff;
    struct hf_kube_answer unsent; /* the run's own answer to a request that it could not send */
    /* the step's answer, while the run asks for this node's EdgeNode; owns `refusal` */
    struct hf_kube_answer held;
    bool node_shown; /* the server answered the request for this node's EdgeNode, if only with 404 */
    unsigned attempts;
    unsigned denials; /* answers 401 and 403 */
    uint64_t started_ns, paced_ns;
    /* end of the wait for the current object; 0: none */
    uint64_t wait_until_ns;

    size_t at;
    struct hf_cluster_now now;
    struct hf_manifest_outcome outcome;
    struct hf_diff diff;
    unsigned failures; /* objects that failed; the first is in `outcome` */
    bool unhealthy;    /* check: an object is not current */
    bool failed;       /* check: an object cannot become current */
    unsigned wanted;   /* objects to apply or delete, or items to check */
};

/* Calls `begin` (may be NULL) from the event loop. Until then the caller sets journal, done and arg. */
HF_MUST_USE int hf_cluster_run_new(const struct hf_manifest_env *env, const char *entry, const json_t *inventory,
                                   void (*begin)(struct hf_cluster_run *run), struct hf_cluster_run **ret_run,
                                   struct hf_err *err);

void hf_cluster_run_send(struct hf_cluster_run *run, const struct hf_cluster_step *step);
/* Call `wake` after a pause; _pace() makes it long enough for HF_CLUSTER_PER_SECOND. */
void hf_cluster_run_later(struct hf_cluster_run *run, uint64_t delay_ns, void (*wake)(struct hf_cluster_run *run));
void hf_cluster_run_pace(struct hf_cluster_run *run, void (*wake)(struct hf_cluster_run *run));

/* Makes an `object` of run->set, an `item` of run->inventory, or both, the current object. */
void hf_cluster_run_turn_to(struct hf_cluster_run *run, const struct hf_cluster_object *object, json_t *item,
                            const char *resource);
/* Notes uid, fields, version and kept of the current object; `live` NULL: the server has none. */
void hf_cluster_run_note(struct hf_cluster_run *run, const json_t *live);
void hf_cluster_run_add_drift(struct hf_cluster_run *run, bool missing);
void hf_cluster_run_name_drift(struct hf_cluster_run *run);
/* Counts a failure of the current object; the first failure decides the outcome. Removes its item if the set has the
 * object and it was never applied (no `uid`). */
void hf_cluster_run_fail(struct hf_cluster_run *run, enum hf_manifest_reason reason, const char *why);

/* Free the run, then call `done`: _end() with this result, _finish() with the result of all objects. */
void hf_cluster_run_end(struct hf_cluster_run *run, int r, enum hf_manifest_reason reason, const char *message);
void hf_cluster_run_finish(struct hf_cluster_run *run);
