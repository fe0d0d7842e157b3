/* SPDX-License-Identifier: Apache-2.0 */
/* Decides which releases this node must install.
 *
 * Of the objects with one release name, the admitted one with the highest sequence wins. A release begun or committed
 * here wins as if admitted: a halt pauses only updates before the swap, and brings back no older release. Objects with
 * accepted signatures win over others. */
#pragma once

#include "api/edgeupdate.h"
#include "api/syncpolicy.h"
#include "api/update/update.h"
#include "sync/stale.h"

/* more updates are only counted */
enum { HF_PLAN_MAX = 1000 };

struct hf_plan_params {
    struct hf_edgeupdate *const *updates;
    size_t n;
    const char *node_name;
    const json_t *node_labels;
    enum hf_staleness staleness;
    enum hf_on_expiry on_expiry;
    bool held;
    bool writes_used_up;
    enum hf_link link;
    bool images_ready; /* the policy lists images, and all are here */
    /* Whether the node has begun or committed the release. May be NULL. */
    bool (*begun)(void *arg, const char *release_name, const char *digest);
    /* Whether the node has its turn, for strategy.disruption. NULL: it has none. */
    bool (*has_turn)(void *arg, const char *release_name, const char *digest);
    /* Whether the node accepts the signatures; asked if several updates compete. NULL: it accepts all. */
    bool (*accepts)(void *arg, const struct hf_edgeupdate *update);
    void *arg;
};

enum hf_plan_why {
    HF_PLAN_SUPERSEDED,       /* another update wins, mostly by a higher sequence */
    HF_PLAN_NOT_ADMITTED_YET, /* its sequence is higher: it wins once admitted */
    HF_PLAN_NOT_ACCEPTED,     /* its sequence is not lower, but its signatures are not accepted */
};

struct hf_plan_note {
    const struct hf_edgeupdate *update;
    enum hf_plan_why why;
    const struct hf_edgeupdate *chosen;
};

struct hf_plan {
    struct hf_desired desired[HF_PLAN_MAX];
    size_t n;
    struct hf_plan_note notes[HF_PLAN_MAX];
    size_t n_notes;
    size_t n_ignored;
};

/* Borrows params->updates. The plan is in order of release names. */
void hf_plan_make(const struct hf_plan_params *params, struct hf_plan *ret_plan);
