/* SPDX-License-Identifier: Apache-2.0 */
/* The few fields of an object that the page of the fleet shows, each bounded. Pure. Functions that make a row return
 * NULL when out of memory. */
#pragma once

#include "codec/json.h"

/* What a node needs: nothing; time; a window, a hold, a turn or contact; a person. Silence is not among them: the page
 * decides that by the clock, from "seen" and "quiet". */
enum hf_ui_look { HF_UI_GOOD, HF_UI_BUSY, HF_UI_WAIT, HF_UI_BAD };
const char *hf_ui_look_name(enum hf_ui_look look);

/* Why: a reason of symptoms.md, of what (a release, a condition or a sink, or ""), and the node's own words. Borrows
 * from the EdgeNode's tree. */
struct hf_ui_verdict {
    enum hf_ui_look look;
    const char *reason, *what, *message;
};
void hf_ui_judge(const json_t *edgenode, struct hf_ui_verdict *ret_verdict);

/* {"look", "reason", "what", "message", "seen", "quiet" (seconds), "silent" (the controller says so), "agent",
 * "policy", "conditions": {TYPE: STATUS}, "updates": [{"r", "v", "i", "p", "w", "d", "s", "t", "f"}]}. Of an update:
 * release, version, installed version, phase, reason, the beginning of the digest, the slot (api/admission.h) for it,
 * when its phase changed (Unix seconds, 0: not told), and the version before; at most HF_UI_MAX_UPDATES. */
enum { HF_UI_MAX_UPDATES = 16, HF_UI_MAX_LABELS = 64 };
json_t *hf_ui_row_of_node(const json_t *edgenode);

/* {"labels": {...}} of a Node, without those that are its name. */
json_t *hf_ui_row_of_labels(const json_t *node);

/* hf_update_view_json() and what the film needs: "waves": [{"percent", "soak"}], "wave", "phase", "digest", "slots",
 * "slotsBefore", "soaked", "soak" (seconds of the present stage), "waitingFor". */
json_t *hf_ui_row_of_update(const json_t *edgeupdate);
