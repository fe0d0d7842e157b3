/* kube/split.h - one source made of two: desired state from one, our writes to the other.
 *
 * Behind a MetaServer every write arrives under CloudCore's account, so no policy of the API server can restrict a
 * node to its own objects. A node that reaches the API server can write there with its own certificate instead. The
 * node follows its EdgeNode there too: a write counts when it comes back, and it comes back only from the server
 * that took it. But the node follows its Node object at the source of desired state, although it writes labels to
 * the other server: the labels decide which updates the node runs, and that must not depend on the server that takes
 * the status.
 *
 * Each source reports contact for its own subscriptions.
 * Threads: loop thread only. */
#pragma once

#include "kube/source.h"

struct hf_split;

/* Borrows both sources, which must outlive the result. NULL: out of memory. */
struct hf_split *hf_split_new(const struct hf_source_ops *desired, const struct hf_source_ops *written);
void hf_split_free(struct hf_split *split); /* end every subscription before this call */
HF_DEFINE_CLEANUP(struct hf_split, hf_split_free)
const struct hf_source_ops *hf_split_source(struct hf_split *split);
