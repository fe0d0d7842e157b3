/* SPDX-License-Identifier: Apache-2.0 */
/* Two sources as one: `written` gets writes and EdgeNode's subscriptions, `desired` all others; each reports contact to
 * its own. */
#pragma once

#include "kube/source.h"

struct hf_split;

struct hf_split *hf_split_new(const struct hf_source_ops *desired, const struct hf_source_ops *written);
/* After all subscriptions have ended. */
void hf_split_free(struct hf_split *split);
HF_DEFINE_CLEANUP(struct hf_split, hf_split_free)
const struct hf_source_ops *hf_split_source(struct hf_split *split);
