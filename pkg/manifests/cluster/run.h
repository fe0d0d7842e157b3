/* SPDX-License-Identifier: Apache-2.0 */
/* What runs that apply and runs that check share: a chain of steps, each with one request. */
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
    /* Changes `call`, a GET of the current object, where it differs. A body goes to run->body, too. 0 or -ENOMEM. */
    int (*ask)(struct hf_cluster_run *run, struct hf_kube_call *call);
    /* A final answer: carried out, refused, or none to the last repetition though the server answers other requests.
     * Starts the next step, waits, or ends the run. */
    void (*taken)(struct hf_cluster_run *run, const struct hf_kube_answer *answer);
    /* 409 goes to `taken`, and is not repeated */
    bool takes_conflict;
};

/* The object that the run works on; borrowed from set, kinds or inventory. */
struct hf_cluster_now {
    struct hf_cluster_id id;
    const char *resource;
    json_t *item;                           /* in run->inventory; NULL: none */
    const struct hf_cluster_object *object; /* in run->set; NULL: only in the inventory */
    /* on the server, when last read */
    char uid[64];
    char fields[HF_CLUSTER_FIELDS_HEX]; /* hash of the list of our fields */
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

    struct hf_cluster_parse *parse; /* NULL: no job runs */
    struct hf_cluster_set set;
    struct hf_cluster_kinds kinds;
    json_t *inventory;
    json_t *doomed; /* items, in the order of deletion */

    struct hf_kube_pending *pending;
    struct hf_timer *timer;
    void (*wake)(struct hf_cluster_run *run);  /* called by the timer */
    void (*after)(struct hf_cluster_run *run); /* after the last object of the set */
    const struct hf_cluster_step *step;
    json_t *body;
    struct hf_backoff backoff;
    struct hf_kube_answer unsent; /* made by the run if it could not send */
    /* the step's answer, while the run asks for its EdgeNode; owns `refusal` */
    struct hf_kube_answer held;
    bool node_shown; /* the server has answered for this node's EdgeNode */
    unsigned attempts;
    unsigned denials; /* answers 401 and 403 */
    /* monotonic starts of the run, and of its current object */
    uint64_t started_ns, paced_ns;
    /* 0: it does not wait for its object */
    uint64_t wait_until_ns;

    size_t at; /* in the set, `doomed` or the inventory */
    struct hf_cluster_now now;
    struct hf_manifest_outcome outcome;
    struct hf_diff diff; /* objects with drift */
    unsigned failures;   /* objects that failed; the first is in `outcome` */
    bool unhealthy;      /* check: one is not current */
    bool failed;         /* check: one cannot become current */
    unsigned wanted;     /* objects to apply or delete; check: 0 */
};

/* Calls `begin` from the event loop, unless NULL. Until then the caller sets journal, done and arg. */
HF_MUST_USE int hf_cluster_run_new(const struct hf_manifest_env *env, const char *entry, const json_t *inventory,
                                   void (*begin)(struct hf_cluster_run *run), struct hf_cluster_run **ret_run,
                                   struct hf_err *err);

void hf_cluster_run_send(struct hf_cluster_run *run, const struct hf_cluster_step *step);
/* `wake` comes after a pause; _pace() keeps to HF_CLUSTER_PER_SECOND. */
void hf_cluster_run_later(struct hf_cluster_run *run, uint64_t delay_ns, void (*wake)(struct hf_cluster_run *run));
void hf_cluster_run_pace(struct hf_cluster_run *run, void (*wake)(struct hf_cluster_run *run));

/* `object` of run->set or `item` of run->inventory may be NULL. */
void hf_cluster_run_turn_to(struct hf_cluster_run *run, const struct hf_cluster_object *object, json_t *item,
                            const char *resource);
/* Takes uid, fields, version and kept; NULL: no such object. */
void hf_cluster_run_note(struct hf_cluster_run *run, const json_t *live);
/* The current object has drifted. `missing`: it is not on the server. */
void hf_cluster_run_add_drift(struct hf_cluster_run *run, bool missing);
/* After the last object: fills outcome.drift. */
void hf_cluster_run_name_drift(struct hf_cluster_run *run);
/* Counts a failure of the current object; the first one decides the outcome. Drops an item of run->set that was never
 * applied (no `uid`). */
void hf_cluster_run_fail(struct hf_cluster_run *run, enum hf_manifest_reason reason, const char *why);

/* Free the run, then call `done`. _end(): an error of the whole run; _finish(): all objects are handled. */
void hf_cluster_run_end(struct hf_cluster_run *run, int r, enum hf_manifest_reason reason, const char *message);
void hf_cluster_run_finish(struct hf_cluster_run *run);
