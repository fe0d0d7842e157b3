/* sync/plan.h - from all EdgeUpdates known to what this node shall bring about. Pure.
 *
 * Where several objects select the node for one release name, the admitted one with the highest sequence wins. A release that
 * this node has already begun or committed counts as admitted when its admission is taken back: a halt stops who has not
 * begun, and never sends a node to an older release. */
#pragma once

#include "api/edgeupdate.h"
#include "api/syncpolicy.h"
#include "sync/stale.h"
#include "update/engine.h"

enum { HF_PLAN_MAX = 1000 }; /* EdgeUpdates that select one node; more are ignored and counted */

struct hf_plan_params {
    struct hf_edgeupdate *const *updates; /* valid ones, any order */
    size_t n;
    const char *node_name;
    const json_t *node_labels;
    enum hf_staleness staleness;
    enum hf_on_expiry on_expiry;
    bool held;
    /* Has this node begun, or committed, the release with this digest? May be NULL. */
    bool (*begun)(void *arg, const char *release_name, const char *digest);
    void *arg;
};

enum hf_plan_why { HF_PLAN_SUPERSEDED, HF_PLAN_NOT_ADMITTED_YET };

/* An update that selects this node but is not what is brought about. */
struct hf_plan_note {
    const struct hf_edgeupdate *update;
    enum hf_plan_why why;
    const struct hf_edgeupdate *chosen; /* what is, for the same release name */
};

struct hf_plan {
    struct hf_desired desired[HF_PLAN_MAX];
    size_t n;
    struct hf_plan_note notes[HF_PLAN_MAX];
    size_t n_notes;
    size_t n_ignored; /* beyond HF_PLAN_MAX */
};

/* Everything in *ret_plan is borrowed from the updates. Release names come in byte order. */
void hf_plan_make(const struct hf_plan_params *params, struct hf_plan *ret_plan);
