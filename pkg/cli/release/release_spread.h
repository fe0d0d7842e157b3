/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/parts.h"

/* Does nothing with spec.strategy, or if HF_EVERYWHERE_ANNOTATION is "true". Else sets the annotation by --everywhere,
 * or adds a canary and waves, unless the selector names a host. */
HF_MUST_USE int hf_release_put_spread(const struct hf_cli_args *args, json_t *update, struct hf_err *err);

HF_MUST_USE int hf_release_mean_all(json_t *update, struct hf_err *err);

/* Returns what is missing in an EdgeUpdate that would start at once on all nodes or more than HF_RELEASE_MAX_UNSTAGED,
 * or NULL. */
#define HF_RELEASE_UNSTAGED_TEXT 240
enum { HF_RELEASE_MAX_UNSTAGED = 10 };
const char *hf_release_unstaged(const json_t *update, char text[HF_RELEASE_UNSTAGED_TEXT]);
