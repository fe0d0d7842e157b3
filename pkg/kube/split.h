/* SPDX-License-Identifier: Apache-2.0 */
/* kube/split.h - one source of two: desired state comes from `desired`, and the agent writes to `written`. Each reports
 * contact for its own subscriptions.
 *
 * Behind a MetaServer every write arrives under CloudCore's account, so no policy can restrict a node to its own
 * objects; a node that can reach the API server writes there with its own certificate. It follows its EdgeNode there,
 * because a write is complete only when a watch has returned it, but its Node at the source of desired state: labels
 * decide which updates it runs, also while the way to `written` is cut. */
#pragma once

#include "kube/source.h"

struct hf_split;

/* Borrows both sources. */
struct hf_split *hf_split_new(const struct hf_source_ops *desired, const struct hf_source_ops *written);
/* After the end of every subscription. */
void hf_split_free(struct hf_split *split);
HF_DEFINE_CLEANUP(struct hf_split, hf_split_free)
const struct hf_source_ops *hf_split_source(struct hf_split *split);
