/* SPDX-License-Identifier: Apache-2.0 */
/* Counts nodes that committed a version, by their own reports. Main thread only; hf_tally_count() blocks. */
#pragma once

#include "cli/fleet/cluster.h"

struct hf_tally {
    size_t nodes;
    size_t committed;
    size_t failed;
    size_t incompatible;
    size_t away;         /* silent, and none of the three above */
    size_t missing;      /* neither committed nor incompatible */
    char names[320];     /* the first missing nodes, with reasons */
    size_t not_admitted; /* missing, not away, and not admitted yet */
};

HF_MUST_USE int hf_tally_count(struct hf_cluster *cluster, const char *selector, const char *release,
                               const char *version, struct hf_tally *ret_tally, struct hf_err *err);

/* Adds the report `node` to all counts except `nodes`. */
void hf_tally_add(struct hf_tally *tally, const json_t *node, const char *release, const char *version,
                  uint64_t now_unix_ns);

/* Whether every node committed or cannot run the version, and at least one committed. With `reachable`, nodes away do
 * not matter. */
bool hf_tally_complete(const struct hf_tally *tally, bool reachable);

/* Whether nodes wait for admission, and all others committed, cannot run the version, or, with `reachable`, are
 * away. */
bool hf_tally_waits_for_admission(const struct hf_tally *tally, bool reachable);

const char *hf_tally_format_missing(const struct hf_tally *tally, char *text, size_t n);

const char *hf_tally_format(const struct hf_tally *tally, char *text, size_t n);
