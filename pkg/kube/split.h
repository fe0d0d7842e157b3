/* SPDX-License-Identifier: Apache-2.0 */
/* kube/split.h - combines two sources into one. Desired state comes from the source `desired`, and the agent's writes
 * go to the source `written`.
 *
 * Behind a MetaServer every write arrives under CloudCore's account, so no policy of the API server can restrict a node
 * to its own objects. If a node can reach the API server, it can write there directly with its own certificate. A write
 * counts only when a watch has returned the written object, and only the server that accepted the write returns this
 * object. So such a node also follows its EdgeNode at the API server. The node follows its Node object at the source of
 * desired state, although it writes labels to the API server. The labels decide which updates the node runs. A node
 * whose way to `written` is cut must still decide as before.
 *
 * Each of the two sources reports contact for its own subscriptions.
 *
 * Threads: loop thread only. */
#pragma once

#include "kube/source.h"

struct hf_split;

/* Makes the combined source. Borrows both sources, which must outlive the result. Returns NULL if memory runs out. */
struct hf_split *hf_split_new(const struct hf_source_ops *desired, const struct hf_source_ops *written);
/* Frees the combined source. The caller must have ended every subscription before. */
void hf_split_free(struct hf_split *split);
HF_DEFINE_CLEANUP(struct hf_split, hf_split_free)
const struct hf_source_ops *hf_split_source(struct hf_split *split);
