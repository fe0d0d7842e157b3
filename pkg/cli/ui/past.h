/* SPDX-License-Identifier: Apache-2.0 */
/* How many nodes ran which version in the last days, as far as the nodes tell. Pure. */
#pragma once

#include "cli/ui/model.h"

/* At most HF_UI_PAST_RELEASES releases, those with the most nodes, with the versions that most nodes run or ran. */
enum { HF_UI_PAST_STEPS = 48, HF_UI_PAST_DAYS = 7, HF_UI_PAST_RELEASES = 6, HF_UI_PAST_VERSIONS = 6 };

/* {"ages": [seconds ago, ...], "releases": [{"release", "nodes", "versions": [{"version", "n": [at each age]}]}]}, the
 * oldest age first, the last one 0. A report says since when a node runs what it runs and, once the release that it
 * wants is installed, the version before; what it ran earlier counts as the version "". */
json_t *hf_ui_model_past(const struct hf_ui_model *model, int64_t now_unix_s);
