/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a board, parsed: what the page of the fleet keeps in the browser, here for `top` and for comparisons.
 * Pure. */
#pragma once

#include "base/strmap.h"
#include "cli/ui/board.h"
#include "cli/ui/row.h"

/* Objects by the names of their rows, in the form of cli/ui/row.h. */
struct hf_ui_model {
    struct hf_strmap nodes, labels, updates;
    uint64_t version; /* of the board */
};

void hf_ui_model_init(struct hf_ui_model *model);
void hf_ui_model_done(struct hf_ui_model *model);

/* Takes what has changed on the board since the last call. -ENOMEM: some rows are missing; a later call goes on. */
HF_MUST_USE int hf_ui_model_take(struct hf_ui_model *model, const struct hf_ui_board *board);

/* What a node needs now: silence counts for more than anything but a person. */
enum { HF_UI_AWAY = HF_UI_BAD + 1, HF_UI_LOOKS };
unsigned hf_ui_model_look(const json_t *node, int64_t now_unix_s);

/* The update that the verdict is about, or the first, or NULL. */
const json_t *hf_ui_model_update(const json_t *node);

/* "" without it. */
const char *hf_ui_model_label(const struct hf_ui_model *model, const char *name, const char *key);
/* The label that most likely names a site, or NULL. */
const char *hf_ui_model_site_key(const struct hf_ui_model *model);

/* All words of `find`, in any case, are in the name, the reason, a release, "runs=VERSION" or a label "key=value" of
 * the node. */
bool hf_ui_model_matches(const struct hf_ui_model *model, const char *name, const char *find);

/* What sets a node apart from those that share a release and, unless `key` is "", the value of this label: {"n": how
 * many they are, "by": "site=oslo", "apart": [{"what", "mine", "most": what most of them have, "n": how many}]}; labels
 * count only where all others agree. NULL: no such node, or out of memory. */
json_t *hf_ui_model_compare(const struct hf_ui_model *model, const char *name, const char *key);
