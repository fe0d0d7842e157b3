/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the Nodes that a label selector selects. */
#pragma once

#include "cli/fleet/cluster.h"

/* Sorted. Behind the NUL of a name are the values of the labels, each with its own. */
struct hf_node_set {
    char **names;
    size_t n, cap;
    const char *labels;
};

/* Requests only metadata. `labels`: keys whose values are kept, "KEY[,...]", each at most HF_NODE_SET_KEY bytes; or
 * NULL. The set borrows them. */
enum { HF_NODE_SET_KEY = 318 };
HF_MUST_USE int hf_node_set_select(struct hf_cluster *cluster, const char *selector, const char *labels,
                                   struct hf_node_set *ret_set, struct hf_err *err);
void hf_node_set_done(struct hf_node_set *set);

ssize_t hf_node_set_find(const struct hf_node_set *set, const char *name);
/* The value of the i-th name's k-th label; "" without it. */
const char *hf_node_set_label(const struct hf_node_set *set, size_t i, size_t k);

/* Checks the form (the API server checks values). -EINVAL: *err names `option` and the wrong part. */
HF_MUST_USE int hf_node_set_check(const char *option, const char *selector, struct hf_err *err);

/* Appends the nodeSelector as for `kubectl -l`. -EINVAL: an operator that it does not have. */
HF_MUST_USE int hf_node_set_format(const json_t *node_selector, struct hf_buf *out, struct hf_err *err);
