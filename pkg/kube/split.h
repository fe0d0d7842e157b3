/* kube/split.h - one source out of two: desired state from the one, what we write to the other.
 *
 * Behind a MetaServer every write arrives as CloudCore's own account, so that no policy of the API server can hold a node to
 * itself. A node that reaches the API server can write there with its own certificate instead. The own EdgeNode is followed there
 * too: a delivery is believed when it came back, and it comes back where it was made. The own Node is not, though its labels are
 * written there: what the node runs depends on them, and must not depend on the way that the status takes.
 *
 * Contact is told for each subscription by the source that it belongs to. */
#pragma once

#include "kube/source.h"

struct hf_split;

/* Both are borrowed and must outlive it. NULL on OOM. */
struct hf_split *hf_split_new(const struct hf_source_ops *desired, const struct hf_source_ops *written);
void hf_split_free(struct hf_split *split); /* every subscription must be ended */
HF_DEFINE_CLEANUP(struct hf_split, hf_split_free)
const struct hf_source_ops *hf_split_source(struct hf_split *split);
