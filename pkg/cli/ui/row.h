/* SPDX-License-Identifier: Apache-2.0 */
/* What the fleet's page shows of an object, with bounded size. Pure. NULL: out of memory. */
#pragma once

#include "codec/json.h"

/* What a node needs: nothing; time; a window, hold, turn, sink or contact; a person. */
enum hf_ui_look { HF_UI_GOOD, HF_UI_BUSY, HF_UI_WAIT, HF_UI_BAD };
const char *hf_ui_look_name(enum hf_ui_look look);

/* The reason (symptoms.md), what it is about (a release, condition, sink, or ""), the node's message. Borrows. */
struct hf_ui_verdict {
    enum hf_ui_look look;
    const char *reason, *what, *message;
};
void hf_ui_judge(const json_t *edgenode, struct hf_ui_verdict *ret_verdict);

/* {"look", "reason", "what", "message", "seen", "quiet" (seconds), "silent" (by the controller), "agent", "policy",
 * "conditions": {TYPE: STATUS}, "updates": [{"r", "v", "i", "p", "w", "d", "s", "t", "f"}]}. An update's members:
 * release, version, installed version, phase, reason, begin of digest, slot (api/admission.h), time of phase (Unix
 * seconds, 0: unknown), version before. HF_UI_MAX_UPDATES at most. */
enum { HF_UI_MAX_UPDATES = 16, HF_UI_MAX_LABELS = 64 };
json_t *hf_ui_row_of_node(const json_t *edgenode);

/* {"labels": {...}}, without labels whose value is the Node's name. */
json_t *hf_ui_row_of_labels(const json_t *node);

/* Returns hf_update_view_json(), cut, with more members. */
json_t *hf_ui_row_of_update(const json_t *edgeupdate);
