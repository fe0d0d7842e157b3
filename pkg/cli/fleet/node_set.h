/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/fleet/cluster.h"

/* names[] is sorted. Behind a name's NUL are its labels' values, each with a NUL. */
struct hf_node_set {
    char **names;
    size_t n, cap;
    const char *labels;
};

/* `labels`: keys of the labels to keep, "KEY[,...]", each at most HF_NODE_SET_KEY bytes, borrowed by the set; or
 * NULL. */
enum { HF_NODE_SET_KEY = 318 };
HF_MUST_USE int hf_node_set_select(struct hf_cluster *cluster, const char *selector, const char *labels,
                                   struct hf_node_set *ret_set, struct hf_err *err);
void hf_node_set_done(struct hf_node_set *set);

ssize_t hf_node_set_find(const struct hf_node_set *set, const char *name);
/* Returns the k-th label's value of the i-th name, or "". */
const char *hf_node_set_label(const struct hf_node_set *set, size_t i, size_t k);

/* Checks only the selector's form. -EINVAL: *err names `option` and the wrong part. */
HF_MUST_USE int hf_node_set_check(const char *option, const char *selector, struct hf_err *err);

/* Appends a nodeSelector as for `kubectl -l`. -EINVAL: an unknown operator. */
HF_MUST_USE int hf_node_set_format(const json_t *node_selector, struct hf_buf *out, struct hf_err *err);
