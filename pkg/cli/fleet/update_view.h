/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a rollout from its EdgeUpdate, from which a view borrows. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/json.h"

enum hf_update_view_state {
    HF_VIEW_UNREPORTED, /* the controller has not seen this spec */
    HF_VIEW_PROGRESSING,
    HF_VIEW_COMPLETE,
    HF_VIEW_PAUSED,
    HF_VIEW_STALLED, /* halted; without a strategy: nodes failed */
    HF_VIEW_REFUSED, /* the controller cannot read it */
};

struct hf_update_view {
    const char *name;
    const char *release, *version;
    int64_t sequence;
    bool has_strategy;
    enum hf_update_view_state state;
    char stage[48];      /* "wave 2/4 soak", or "" */
    const char *reason;  /* never NULL */
    const char *message; /* never NULL */
    bool counted;        /* status.nodes is valid */
    int64_t selected, admitted, updated, updating, failed, incompatible, unknown, held, superseded;
    int64_t forgiven;       /* those of `failed` that a resume accepted */
    const json_t *failures; /* or NULL */
    const json_t *trouble;  /* status.rollout.trouble: a node that cannot continue; or NULL */
};

void hf_update_view_of(const json_t *update, struct hf_update_view *ret_view);

const char *hf_update_view_state_name(const struct hf_update_view *view);

/* The reason of view->trouble while the rollout progresses, else view->reason. */
const char *hf_update_view_reason(const struct hf_update_view *view);

json_t *hf_update_view_json(const struct hf_update_view *view);

/* The rollout stands still, or nodes failed that no resume has accepted. */
bool hf_update_view_needs_person(const struct hf_update_view *view);

/* Complete, and every node is updated, incompatible, superseded or, if `reachable`, away. */
bool hf_update_view_reached_all(const struct hf_update_view *view, bool reachable);
