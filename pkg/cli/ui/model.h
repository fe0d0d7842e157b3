/* SPDX-License-Identifier: Apache-2.0 */
/* The board's rows, parsed for `top` and comparisons. Pure. */
#pragma once

#include "base/strmap.h"
#include "cli/ui/board.h"
#include "cli/ui/row.h"

struct hf_ui_model {
    struct hf_strmap nodes, labels, updates;
    uint64_t version;
};

void hf_ui_model_init(struct hf_ui_model *model);
void hf_ui_model_done(struct hf_ui_model *model);

/* Takes what changed since the last call. -ENOMEM: rows are missing; call again. */
HF_MUST_USE int hf_ui_model_take(struct hf_ui_model *model, const struct hf_ui_board *board);

/* Returns what a node needs: an enum hf_ui_look, or HF_UI_AWAY if it is silent and needs no person. */
enum { HF_UI_AWAY = HF_UI_BAD + 1, HF_UI_LOOKS };
unsigned hf_ui_model_look(const json_t *node, int64_t now_unix_s);

/* Returns the update that the node's verdict is about, else the first one, or NULL. */
const json_t *hf_ui_model_update(const json_t *node);

const char *hf_ui_model_label(const struct hf_ui_model *model, const char *name, const char *key);
const char *hf_ui_model_site_key(const struct hf_ui_model *model);

/* Whether all words of `find`, in any case, are in name, reason, "what", agent's version, a release, phase,
 * "runs=VERSION" or a label "key=value". */
bool hf_ui_model_matches(const struct hf_ui_model *model, const char *name, const char *find);

/* Compares a node with those that share a release and, unless the value is "", its value of the label `key`: {"n": how
 * many, "by": "site=oslo", "apart": [{"what", "mine", "most": what most have, "n": how many}]}. Labels count only where
 * all others agree. NULL: no such node, or no memory. */
json_t *hf_ui_model_compare(const struct hf_ui_model *model, const char *name, const char *key);
