/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout as shown by its EdgeUpdate, which a view borrows. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/json.h"

enum hf_update_view_state {
    HF_VIEW_UNREPORTED,
    HF_VIEW_PROGRESSING,
    HF_VIEW_COMPLETE,
    HF_VIEW_PAUSED,
    HF_VIEW_STALLED, /* halted; without strategy: nodes failed */
    HF_VIEW_REFUSED,
};

struct hf_update_view {
    const char *name;
    const char *release, *version;
    int64_t sequence;
    bool has_strategy;
    enum hf_update_view_state state;
    char stage[48]; /* "wave 2/4 soak", or "" */
    const char *reason;
    const char *message;
    bool counted; /* the counts below are known */
    int64_t selected, admitted, updated, updating, failed, incompatible, unknown, held, superseded;
    int64_t forgiven; /* failed nodes that a resume accepted */
    const json_t *failures;
    const json_t *trouble; /* status.rollout.trouble: a stuck node; or NULL */
};

void hf_update_view_of(const json_t *update, struct hf_update_view *ret_view);

const char *hf_update_view_state_name(const struct hf_update_view *view);

/* Returns view->reason, but for Progressing the reason of view->trouble, if any. */
const char *hf_update_view_reason(const struct hf_update_view *view);

json_t *hf_update_view_json(const struct hf_update_view *view);

/* Whether the rollout is stalled or refused, or nodes failed that no resume accepted. */
bool hf_update_view_needs_person(const struct hf_update_view *view);

/* Whether the rollout is complete, and every node is updated, incompatible, superseded or, if `reachable`, away or
 * held. */
bool hf_update_view_reached_all(const struct hf_update_view *view, bool reachable);
