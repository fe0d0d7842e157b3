/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/cluster/run.h - the common part of runs that apply objects and runs that check them. A run sends one
 * request at a time, and begins to handle at most HF_CLUSTER_PER_SECOND objects in a second. While the server cannot
 * answer, the run repeats the request after growing pauses. The repetitions end when the request has been sent
 * HF_CLUSTER_ATTEMPTS times, or when the next pause would end more than HF_CLUSTER_TIME_NS after the start of the run.
 * A run also repeats requests that the server has refused with 401 or 403, but at most HF_CLUSTER_ATTEMPTS - 1 times in
 * all. If the last repetition fails, too, the run asks for the EdgeNode of this node: without it the run ends, because
 * the server is away or refuses this agent altogether; with it, only the current object has failed. Private to
 * pkg/manifests/cluster.
 *
 * A run is a chain of steps. A step makes one request (`ask`) and handles the answer (`taken`). The function `taken`
 * starts the next step, waits, or ends the run. Threads: loop thread only. */
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
    /* Makes the request. `call` is prepared as a GET of the current object; the function changes the fields that must
     * differ. If it makes a body, it also stores the body in run->body, because the run frees the body. Returns 0 or
     * -ENOMEM. */
    int (*ask)(struct hf_cluster_run *run, struct hf_kube_call *call);
    /* Handles a final answer: the server has carried out or refused the request, or it has not answered the last
     * repetition although it answers other requests. */
    void (*taken)(struct hf_cluster_run *run, const struct hf_kube_answer *answer);
    /* true if an answer 409 Conflict goes to `taken` instead of causing a repetition of the request */
    bool takes_conflict;
};

/* The object that the run works on now. The pointers are borrowed from the set, the kinds or the inventory. */
struct hf_cluster_now {
    struct hf_cluster_id id;
    const char *resource;
    json_t *item;                           /* the object's item in run->inventory; NULL if there is none */
    const struct hf_cluster_object *object; /* the object in run->set; NULL if the object is only in the inventory */
    /* uid that the object on the server had when the run last read it; "" if the object did not exist */
    char uid[64];
    char fields[HF_CLUSTER_FIELDS_HEX]; /* hash of the fields that we own in the object; "" if we own none */
    char version[64];                   /* resourceVersion of the object on the server; "" if it did not exist */
    bool kept;                          /* the object's annotation HF_CLUSTER_PRUNE_ANNOTATION forbids its deletion */
    bool replaced;                      /* this run has decided to delete the object and create it again */
};

struct hf_cluster_run {
    const struct hf_manifest_env *env;
    char *entry;
    bool force, repair, keep, prune, may_prune_beyond;
    void (*journal)(void *arg, const json_t *inventory);
    void (*done)(void *arg, const struct hf_manifest_outcome *outcome);
    void *arg;

    struct hf_cluster_parse *parse; /* the job that parses the bundle; NULL if it does not run */
    struct hf_cluster_set set;
    struct hf_cluster_kinds kinds;
    json_t *inventory;
    json_t *doomed; /* items of the objects to delete, in the order of deletion */

    struct hf_kube_pending *pending;
    struct hf_timer *timer;
    void (*wake)(struct hf_cluster_run *run);  /* called by the timer */
    void (*after)(struct hf_cluster_run *run); /* called after the last object of the set */
    const struct hf_cluster_step *step;
    json_t *body; /* body of the current step's request; owned */
    struct hf_backoff backoff;
    struct hf_kube_answer unsent; /* answer that the run itself makes if it could not send a request */
    /* the answer to the current step, while the run asks for its EdgeNode; `refusal` is owned, the rest is as in
     * kube/call.h */
    struct hf_kube_answer held;
    bool node_shown; /* the server has answered a request for the EdgeNode of this node */
    unsigned attempts;
    unsigned denials; /* number of answers 401 and 403 */
    /* monotonic times of the start of the run, and of the start of its work on the current object */
    uint64_t started_ns, paced_ns;
    /* monotonic time at which the wait for the current object ends; 0 if the run does not wait */
    uint64_t wait_until_ns;

    size_t at; /* index of the current object in the list that the run walks: the set, `doomed` or the inventory */
    struct hf_cluster_now now;
    struct hf_manifest_outcome outcome;
    struct hf_diff diff; /* objects with drift, for the message */
    unsigned failures;   /* number of objects that failed; the first failure is in `outcome` */
    bool unhealthy;      /* in a check: an object is not current */
    bool failed;         /* in a check: an object cannot become current */
    unsigned wanted;     /* number of objects that the run applies or deletes, for the message; 0 in a check */
};

/* Makes a run, which calls `begin` in a later iteration of the event loop; NULL if something else begins it. Until then
 * the caller sets journal, done and arg. */
HF_MUST_USE int hf_cluster_run_new(const struct hf_manifest_env *env, const char *entry, const json_t *inventory,
                                   void (*begin)(struct hf_cluster_run *run), struct hf_cluster_run **ret_run,
                                   struct hf_err *err);

/* Sends the request of a step about the current object. */
void hf_cluster_run_send(struct hf_cluster_run *run, const struct hf_cluster_step *step);
/* Both functions call `wake` after a pause. hf_cluster_run_pace() chooses the pause that keeps the rate at or below
 * HF_CLUSTER_PER_SECOND. */
void hf_cluster_run_later(struct hf_cluster_run *run, uint64_t delay_ns, void (*wake)(struct hf_cluster_run *run));
void hf_cluster_run_pace(struct hf_cluster_run *run, void (*wake)(struct hf_cluster_run *run));

/* Sets run->now to the object that the run works on next: `object` of run->set, and `item`, its item in the inventory.
 * One of the two may be NULL. */
void hf_cluster_run_turn_to(struct hf_cluster_run *run, const struct hf_cluster_object *object, json_t *item,
                            const char *resource);
/* Sets the fields `uid`, `fields`, `version` and `kept` of run->now from `live`, the object as the server
 * returned it. `live` is NULL if the object does not exist. */
void hf_cluster_run_note(struct hf_cluster_run *run, const json_t *live);
/* Names the current object among those with drift. `missing` is true if it did not exist on the server. */
void hf_cluster_run_add_drift(struct hf_cluster_run *run, bool missing);
/* Fills outcome.drift. Call this function after the last object. */
void hf_cluster_run_name_drift(struct hf_cluster_run *run);
/* Counts a failure of the current object. The first one becomes the reason and the message of the outcome. If the
 * object is in the set, and its item in the inventory has no `uid`, the function removes the item, because the object
 * has not been applied. */
void hf_cluster_run_fail(struct hf_cluster_run *run, enum hf_manifest_reason reason, const char *why);

/* Both functions free the run and then call its `done`; do not use the run afterwards. Call _end() for an error of the
 * whole run. Call _finish() when all objects are handled; the outcome then reports the failures of single objects, if
 * any. */
void hf_cluster_run_end(struct hf_cluster_run *run, int r, enum hf_manifest_reason reason, const char *message);
void hf_cluster_run_finish(struct hf_cluster_run *run);
