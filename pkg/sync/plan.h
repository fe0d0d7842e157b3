/* SPDX-License-Identifier: Apache-2.0 */
/* Selects the releases that this node must install. Pure.
 *
 * Among objects of one release name, the admitted one with the highest sequence wins. One that this node has begun or
 * committed stays admitted here: a halt stops only nodes that have not begun, and returns none to an older release.
 * Unaccepted signatures never win over accepted ones. */
#pragma once

#include "api/edgeupdate.h"
#include "api/syncpolicy.h"
#include "api/update/update.h"
#include "sync/stale.h"

/* EdgeUpdates; more are only counted */
enum { HF_PLAN_MAX = 1000 };

struct hf_plan_params {
    struct hf_edgeupdate *const *updates;
    size_t n;
    const char *node_name;
    const json_t *node_labels;
    enum hf_staleness staleness;
    enum hf_on_expiry on_expiry;
    bool held;
    bool writes_used_up; /* policy's budget */
    enum hf_link link;
    bool images_ready; /* the policy lists images, and all are here */
    /* Or committed. May be NULL. */
    bool (*begun)(void *arg, const char *release_name, const char *digest);
    /* For strategy.disruption only. NULL: no turns. */
    bool (*has_turn)(void *arg, const char *release_name, const char *digest);
    /* Signatures; asked only if several compete. NULL: all. */
    bool (*accepts)(void *arg, const struct hf_edgeupdate *update);
    void *arg;
};

enum hf_plan_why {
    HF_PLAN_SUPERSEDED,       /* usually a lower sequence */
    HF_PLAN_NOT_ADMITTED_YET, /* a higher one, if admitted */
    HF_PLAN_NOT_ACCEPTED,     /* not lower, without accepted signatures */
};

struct hf_plan_note {
    const struct hf_edgeupdate *update;
    enum hf_plan_why why;
    const struct hf_edgeupdate *chosen; /* instead of `update` */
};

struct hf_plan {
    struct hf_desired desired[HF_PLAN_MAX];
    size_t n;
    struct hf_plan_note notes[HF_PLAN_MAX];
    size_t n_notes;
    size_t n_ignored; /* beyond HF_PLAN_MAX */
};

/* Borrows from params->updates. Releases are in the order of their names. */
void hf_plan_make(const struct hf_plan_params *params, struct hf_plan *ret_plan);
