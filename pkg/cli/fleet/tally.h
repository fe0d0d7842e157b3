/* SPDX-License-Identifier: Apache-2.0 */
/* cli/fleet/tally.h - counts the nodes that have committed one version of a release, among the nodes that a label
 * selector selects.
 *
 * The count uses the nodes' own reports, so it needs no controller. Main thread only; hf_tally_count() blocks. */
#pragma once

#include "cli/fleet/cluster.h"

struct hf_tally {
    size_t nodes;        /* selected Nodes */
    size_t committed;    /* nodes that report this version as Committed */
    size_t failed;       /* nodes that report that this version failed (hf_reason_is_failure()) */
    size_t incompatible; /* nodes that report this version as Incompatible */
    /* nodes that are silent or have never reported; the nodes in `committed`, `failed` and `incompatible` do not count
     * here */
    size_t away;
    size_t missing;      /* nodes that have neither committed the version nor cannot run it */
    char names[320];     /* the first of them, each with a reason in brackets */
    size_t not_admitted; /* nodes that are not away and report that the rollout of this version does not admit them */
};

/* Lists the Nodes that match `selector` ("" selects all) and their EdgeNodes. */
HF_MUST_USE int hf_tally_count(struct hf_cluster *cluster, const char *selector, const char *release,
                               const char *version, struct hf_tally *ret_tally, struct hf_err *err);

/* Adds the report of one node, the EdgeNode `node`, to all counts except `nodes`. Pure. */
void hf_tally_add(struct hf_tally *tally, const json_t *node, const char *release, const char *version,
                  uint64_t now_unix_ns);

/* Returns true if at least one node has committed the version, and all other nodes have committed it or cannot run it.
 * If `reachable` is true, nodes that are away do not count. Pure. */
bool hf_tally_complete(const struct hf_tally *tally, bool reachable);

/* Returns true if all nodes have committed the version, cannot run it or wait for admission, and at least one waits.
 * If `reachable` is true, nodes that are away do not count. Pure. */
bool hf_tally_waits_for_admission(const struct hf_tally *tally, bool reachable);

/* Formats who is missing, such as "edge-7 (silent), edge-9 (Waiting) and 3 more"; "" without anybody. Returns `text`.
 * Pure. */
const char *hf_tally_format_missing(const struct hf_tally *tally, char *text, size_t n);

/* Formats the counts for a person. Returns `text`. Pure. */
const char *hf_tally_format(const struct hf_tally *tally, char *text, size_t n);
