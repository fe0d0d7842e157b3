/* SPDX-License-Identifier: Apache-2.0 */
/* Counts, for each SyncPolicy's status, the nodes that it selects, and the nodes that report it. Pure. */
#pragma once

#include "codec/json.h"

enum { HF_POLICY_TALLY_MAX = 500 };

struct hf_policy_tally;

struct hf_policy_counts {
    unsigned selected;
    unsigned taken;     /* selected nodes that report the policy's generation */
    unsigned lagging;   /* other selected nodes whose agent still reports */
    unsigned in_effect; /* nodes that report a section of it, in any generation */
    unsigned conflicts; /* nodes that name it in PolicyConflict */
};

struct hf_policy_tally *hf_policy_tally_new(void);
void hf_policy_tally_free(struct hf_policy_tally *tally);
HF_DEFINE_CLEANUP(struct hf_policy_tally, hf_policy_tally_free)

/* -EBADMSG: no name. -E2BIG: above HF_POLICY_TALLY_MAX. On errors the tally is unchanged. */
HF_MUST_USE int hf_policy_tally_take_node(struct hf_policy_tally *tally, const json_t *node);
HF_MUST_USE int hf_policy_tally_take_edgenode(struct hf_policy_tally *tally, const json_t *edgenode);
HF_MUST_USE int hf_policy_tally_take_policy(struct hf_policy_tally *tally, const json_t *policy);
void hf_policy_tally_drop_node(struct hf_policy_tally *tally, const char *name);
void hf_policy_tally_drop_edgenode(struct hf_policy_tally *tally, const char *name);
void hf_policy_tally_drop_policy(struct hf_policy_tally *tally, const char *name);

/* Returns the policy's counts, valid until the tally changes; or NULL. */
const struct hf_policy_counts *hf_policy_tally_counts(const struct hf_policy_tally *tally, const char *name);

/* *ret_body: for a server-side apply; NULL if `policy` has this status already. -ENOENT: not in the tally. */
HF_MUST_USE int hf_policy_tally_status(const struct hf_policy_tally *tally, const json_t *policy, uint64_t now_unix_ns,
                                       json_t **ret_body);
