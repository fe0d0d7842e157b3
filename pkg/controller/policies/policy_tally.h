/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that each SyncPolicy selects and that have it in effect, for its status. Pure. Memory: below 100 bytes per
 * node, plus its name. */
#pragma once

#include "codec/json.h"

enum { HF_POLICY_TALLY_MAX = 500 };

struct hf_policy_tally;

/* Selected nodes have taken, lag, or are away. */
struct hf_policy_counts {
    unsigned selected;  /* by nodeSelector */
    unsigned taken;     /* report this generation */
    unsigned lagging;   /* report another */
    unsigned in_effect; /* report a section, any generation */
    unsigned conflicts; /* name it in PolicyConflict */
};

struct hf_policy_tally *hf_policy_tally_new(void);
void hf_policy_tally_free(struct hf_policy_tally *tally);
HF_DEFINE_CLEANUP(struct hf_policy_tally, hf_policy_tally_free)

/* -EBADMSG: no name. -E2BIG: HF_POLICY_TALLY_MAX. Then unchanged. */
HF_MUST_USE int hf_policy_tally_take_node(struct hf_policy_tally *tally, const json_t *node);
HF_MUST_USE int hf_policy_tally_take_edgenode(struct hf_policy_tally *tally, const json_t *edgenode);
HF_MUST_USE int hf_policy_tally_take_policy(struct hf_policy_tally *tally, const json_t *policy);
void hf_policy_tally_drop_node(struct hf_policy_tally *tally, const char *name);
void hf_policy_tally_drop_edgenode(struct hf_policy_tally *tally, const char *name);
void hf_policy_tally_drop_policy(struct hf_policy_tally *tally, const char *name);

/* Until the tally changes. */
const struct hf_policy_counts *hf_policy_tally_counts(const struct hf_policy_tally *tally, const char *name);

/* For a server-side apply; NULL: no change to `policy`. -ENOENT. */
HF_MUST_USE int hf_policy_tally_status(const struct hf_policy_tally *tally, const json_t *policy, uint64_t now_unix_ns,
                                       json_t **ret_body);
