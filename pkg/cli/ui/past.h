/* SPDX-License-Identifier: Apache-2.0 */
/* How many nodes ran which version lately, as nodes report. Pure. */
#pragma once

#include "cli/ui/model.h"

/* HF_UI_PAST_RELEASES with most nodes, each with HF_UI_PAST_VERSIONS of most nodes. */
enum { HF_UI_PAST_STEPS = 48, HF_UI_PAST_DAYS = 7, HF_UI_PAST_RELEASES = 6, HF_UI_PAST_VERSIONS = 6 };

/* {"ages": [seconds ago, ...], "releases": [{"release", "nodes", "versions": [{"version", "n": [at each age]}]}]},
 * oldest age first, last 0. Reports say since when a node runs what it runs and, once its wanted release is installed,
 * the version before; earlier ones are "". */
json_t *hf_ui_model_past(const struct hf_ui_model *model, int64_t now_unix_s);
