/* SPDX-License-Identifier: Apache-2.0 */
/* Counts how many nodes ran which version lately, as nodes report. Pure. */
#pragma once

#include "cli/ui/model.h"

enum { HF_UI_PAST_STEPS = 48, HF_UI_PAST_DAYS = 7, HF_UI_PAST_RELEASES = 6, HF_UI_PAST_VERSIONS = 6 };

/* {"ages": [seconds ago, ...], "releases": [{"release", "nodes", "versions": [{"version", "n": [at each age]}]}]},
 * oldest age first, the last is 0. "version" is "" for times when the nodes report no version. */
json_t *hf_ui_model_past(const struct hf_ui_model *model, int64_t now_unix_s);
