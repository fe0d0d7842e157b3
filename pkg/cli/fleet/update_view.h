/* cli/fleet/update_view.h - what an EdgeUpdate says about its rollout. Pure.
 *
 * A view borrows from the EdgeUpdate's tree. The controller writes the status; until it has seen the present spec, the
 * state is HF_VIEW_UNREPORTED, so that nobody takes the verdict on an earlier release for the present one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/json.h"

#define HF_ANNOTATION_PAUSED "edge.codcompass.io/rollout-paused"
#define HF_ANNOTATION_HALTED "edge.codcompass.io/rollout-halted"
#define HF_ANNOTATION_RESUME "edge.codcompass.io/rollout-resume"

enum hf_update_view_state {
    HF_VIEW_UNREPORTED, /* the controller has not seen this spec */
    HF_VIEW_PROGRESSING,
    HF_VIEW_COMPLETE,
    HF_VIEW_PAUSED,  /* an operator paused it, or spec.suspend is true */
    HF_VIEW_STALLED, /* halted, by itself or by an operator; without a strategy: nodes failed */
    HF_VIEW_REFUSED, /* the controller cannot read the EdgeUpdate */
};

struct hf_update_view {
    const char *name; /* metadata.name */
    const char *release, *version;
    int64_t sequence;
    bool has_strategy;
    enum hf_update_view_state state;
    char stage[48];      /* "canary", "wave 2/4 soak", "complete"; "" if unknown */
    const char *reason;  /* reason of the condition Ready, or of the state; never NULL */
    const char *message; /* its message; never NULL */
    /* status.nodes; meaningless if `counted` is false */
    bool counted;
    int64_t selected, admitted, updated, updating, failed, incompatible, unknown, superseded;
    const json_t *failures; /* status.failures; NULL: none */
};

void hf_update_view_of(const json_t *update, struct hf_update_view *ret_view);

/* Returns the state for a person, such as "Halted" or "Progressing". */
const char *hf_update_view_state_name(const struct hf_update_view *view);

/* Returns the view as JSON, or NULL if out of memory. */
json_t *hf_update_view_json(const struct hf_update_view *view);

/* Returns true if every selected node that can run the release has committed it, also the nodes that were away. */
bool hf_update_view_reached_all(const struct hf_update_view *view);
