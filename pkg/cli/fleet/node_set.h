/* SPDX-License-Identifier: Apache-2.0 */
/* cli/fleet/node_set.h - gets from the API server the names of the nodes that a label selector selects.
 *
 * Main thread only; blocks. */
#pragma once

#include "cli/fleet/cluster.h"

/* A sorted list of names. */
struct hf_node_set {
    char **names;
    size_t n, cap;
};

/* Lists the Nodes that match `selector` (as in `kubectl -l`). Requests only their metadata. */
HF_MUST_USE int hf_node_set_select(struct hf_cluster *cluster, const char *selector, struct hf_node_set *ret_set,
                                   struct hf_err *err);
void hf_node_set_done(struct hf_node_set *set);

/* Returns the position of the name, or -1. */
ssize_t hf_node_set_find(const struct hf_node_set *set, const char *name);

/* Checks the form of a selector, but not the values of `in` and `notin`, which the API server checks. -EINVAL: the form
 * is wrong; *err names `option` and the wrong part. Pure. */
HF_MUST_USE int hf_node_set_check(const char *option, const char *selector, struct hf_err *err);

/* Appends the nodeSelector of an EdgeUpdate in the form of `kubectl -l`. -EINVAL: the nodeSelector has an operator that
 * `kubectl -l` does not have. Pure. */
HF_MUST_USE int hf_node_set_format(const json_t *node_selector, struct hf_buf *out, struct hf_err *err);
