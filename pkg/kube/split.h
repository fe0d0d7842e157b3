/* SPDX-License-Identifier: Apache-2.0 */
/* Two sources as one: `written` gets writes and EdgeNode's subscriptions, `desired` all other subscriptions. Each
 * reports contact to its own subscribers. */
#pragma once

#include "kube/source.h"

struct hf_split;

struct hf_split *hf_split_new(const struct hf_source_ops *desired, const struct hf_source_ops *written);
/* Call after all subscriptions have ended. */
void hf_split_free(struct hf_split *split);
HF_DEFINE_CLEANUP(struct hf_split, hf_split_free)
const struct hf_source_ops *hf_split_source(struct hf_split *split);
