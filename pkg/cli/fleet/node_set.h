/* SPDX-License-Identifier: Apache-2.0 */
/* cli/fleet/node_set.h - names of the Nodes that a label selector selects. Main thread only; blocks. */
#pragma once

#include "cli/fleet/cluster.h"

/* Sorted. */
struct hf_node_set {
    char **names;
    size_t n, cap;
};

/* Requests only metadata. */
HF_MUST_USE int hf_node_set_select(struct hf_cluster *cluster, const char *selector, struct hf_node_set *ret_set,
                                   struct hf_err *err);
void hf_node_set_done(struct hf_node_set *set);

ssize_t hf_node_set_find(const struct hf_node_set *set, const char *name);

/* Checks the form (the API server checks values). -EINVAL: *err names `option` and the wrong part. */
HF_MUST_USE int hf_node_set_check(const char *option, const char *selector, struct hf_err *err);

/* Appends the nodeSelector as for `kubectl -l`. -EINVAL: an operator that it does not have. */
HF_MUST_USE int hf_node_set_format(const json_t *node_selector, struct hf_buf *out, struct hf_err *err);
