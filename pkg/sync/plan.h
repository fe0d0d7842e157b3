/* SPDX-License-Identifier: Apache-2.0 */
/* Which releases this node must install.
 *
 * Of objects of one name, the admitted one with the highest sequence. One begun or committed here stays admitted: a
 * halt stops only nodes that have not begun, and brings back no older release. Accepted signatures win over others. */
#pragma once

#include "api/edgeupdate.h"
#include "api/syncpolicy.h"
#include "api/update/update.h"
#include "sync/stale.h"

/* more are only counted */
enum { HF_PLAN_MAX = 1000 };

struct hf_plan_params {
    struct hf_edgeupdate *const *updates;
    size_t n;
    const char *node_name;
    const json_t *node_labels;
    enum hf_staleness staleness;
    enum hf_on_expiry on_expiry;
    bool held;
    bool writes_used_up; /* by the policy */
    enum hf_link link;
    bool images_ready; /* the policy lists images, and all are here */
    /* or committed; may be NULL */
    bool (*begun)(void *arg, const char *release_name, const char *digest);
    /* for strategy.disruption; NULL: no turns */
    bool (*has_turn)(void *arg, const char *release_name, const char *digest);
    /* signatures; asked if several compete; NULL: all */
    bool (*accepts)(void *arg, const struct hf_edgeupdate *update);
    void *arg;
};

enum hf_plan_why {
    HF_PLAN_SUPERSEDED,       /* mostly by a lower sequence */
    HF_PLAN_NOT_ADMITTED_YET, /* a higher one that wins once admitted */
    HF_PLAN_NOT_ACCEPTED,     /* not lower, but signatures not accepted */
};

struct hf_plan_note {
    const struct hf_edgeupdate *update;
    enum hf_plan_why why;
    const struct hf_edgeupdate *chosen; /* in its place */
};

struct hf_plan {
    struct hf_desired desired[HF_PLAN_MAX];
    size_t n;
    struct hf_plan_note notes[HF_PLAN_MAX];
    size_t n_notes;
    size_t n_ignored; /* above HF_PLAN_MAX */
};

/* Borrows params->updates. In order of names. */
void hf_plan_make(const struct hf_plan_params *params, struct hf_plan *ret_plan);
