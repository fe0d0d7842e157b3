/* kube/split.h - combines two sources: desired state comes from one, and our writes go to the other.
 *
 * Behind a MetaServer every write arrives under CloudCore's account, so no policy of the API server can restrict a
 * node to its own objects. A node that reaches the API server can write there with its own certificate instead. The
 * node also follows its EdgeNode at that API server, because a write counts only when the watch returns it, and only
 * the server that took the write returns it. The node follows its Node object at the source of desired state, although
 * it writes labels to the API server. The labels decide which updates the node runs, and this decision must not depend
 * on the server that takes the status.
 *
 * Each of the two sources reports contact for its own subscriptions.
 *
 * Threads: loop thread only. */
#pragma once

#include "kube/source.h"

struct hf_split;

/* Borrows both sources, which must outlive the result. Returns NULL when out of memory. */
struct hf_split *hf_split_new(const struct hf_source_ops *desired, const struct hf_source_ops *written);
void hf_split_free(struct hf_split *split); /* end every subscription before this call */
HF_DEFINE_CLEANUP(struct hf_split, hf_split_free)
const struct hf_source_ops *hf_split_source(struct hf_split *split);
