/* SPDX-License-Identifier: Apache-2.0 */
/* cli/fleet/update_view.h - extracts the state of a rollout from its EdgeUpdate. Pure.
 *
 * A view borrows from the EdgeUpdate's tree. The controller writes the status. Until the controller has seen the
 * present spec, the state is HF_VIEW_UNREPORTED, because the status may be about an earlier release. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/json.h"

enum hf_update_view_state {
    HF_VIEW_UNREPORTED, /* the controller has not seen this spec */
    HF_VIEW_PROGRESSING,
    HF_VIEW_COMPLETE,
    HF_VIEW_PAUSED, /* an operator paused the rollout, or spec.suspend is true */
    /* with a strategy: the rollout has halted, by itself or by an operator; without one: nodes have failed */
    HF_VIEW_STALLED,
    HF_VIEW_REFUSED, /* the controller cannot read the EdgeUpdate */
};

struct hf_update_view {
    const char *name; /* metadata.name */
    const char *release, *version;
    int64_t sequence;
    bool has_strategy;
    enum hf_update_view_state state;
    char stage[48];      /* "canary", "wave 2/4 soak", "complete"; "" if unknown */
    const char *reason;  /* reason of a condition, or a reason that the view gives; never NULL */
    const char *message; /* message that belongs to `reason`; never NULL */
    /* counts from status.nodes; invalid if `counted` is false */
    bool counted;
    int64_t selected, admitted, updated, updating, failed, incompatible, unknown, held, superseded;
    int64_t forgiven;       /* those of `failed` that a resume has accepted */
    const json_t *failures; /* status.failures; NULL if there are none */
    const json_t *trouble;  /* status.rollout.trouble: a node that is updating and cannot go on; NULL without one */
};

void hf_update_view_of(const json_t *update, struct hf_update_view *ret_view);

/* Returns a word for the state, such as "Halted" or "Progressing", for a person. */
const char *hf_update_view_state_name(const struct hf_update_view *view);

/* Returns the reason of view->trouble while the rollout progresses, else view->reason. */
const char *hf_update_view_reason(const struct hf_update_view *view);

/* Returns the view as JSON, or NULL if out of memory. */
json_t *hf_update_view_json(const struct hf_update_view *view);

/* Returns true if the rollout needs a person: it stands still, or nodes failed that no resume has accepted, also if it
 * continues or is complete. */
bool hf_update_view_needs_person(const struct hf_update_view *view);

/* Returns true if the rollout is complete and every selected node counts as updated, incompatible or superseded. If
 * `reachable` is true, a node that is away (`unknown`) counts as reached, too. */
bool hf_update_view_reached_all(const struct hf_update_view *view, bool reachable);
