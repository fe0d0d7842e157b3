/* SPDX-License-Identifier: Apache-2.0 */
/* cli/release/release_spread.h - how a release spreads: by a strategy, or on purpose on all nodes at once. */
#pragma once

#include "cli/parts.h"

/* Sets how the release spreads where the template has no spec.strategy. --everywhere: sets HF_EVERYWHERE_ANNOTATION. A
 * selector of one host needs nothing. Otherwise sets a strategy of a canary and waves. */
HF_MUST_USE int hf_release_put_spread(const struct hf_cli_args *args, json_t *update, struct hf_err *err);

/* Sets HF_EVERYWHERE_ANNOTATION. */
HF_MUST_USE int hf_release_mean_all(json_t *update, struct hf_err *err);

/* Returns NULL, or in `text` what to add to an EdgeUpdate that would start on every node at once, or on more than
 * HF_RELEASE_MAX_UNSTAGED. The chart's admission policy holdfast-guard has the same rule. */
#define HF_RELEASE_UNSTAGED_TEXT 240
enum { HF_RELEASE_MAX_UNSTAGED = 10 };
const char *hf_release_unstaged(const json_t *update, char text[HF_RELEASE_UNSTAGED_TEXT]);
