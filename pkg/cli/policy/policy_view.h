/* SPDX-License-Identifier: Apache-2.0 */
/* cli/policy/policy_view.h - explains from which SyncPolicy each section of a node's settings comes, and why. Pure, but
 * for the zoneinfo files that decoding reads. Main thread only. */
#pragma once

#include "base/err.h"
#include "codec/json.h"

struct hf_policy_view_input {
    const char *node;       /* name of the node; NULL: none */
    const json_t *edgenode; /* the node's report; NULL: explain what the policies add up to, as if for a new node */
    /* The node's labels. NULL: unknown; the policies that the node reports then count, and no others. */
    const json_t *labels;
    const json_t *policies; /* array of SyncPolicies, of which many may not select the node */
};

/* Sets *ret_view to an object with these members:
 *   node      name of the node, or null
 *   reported  true: the sections are what the node reports; false: what the policies add up to
 *   policies  for each policy that selects the node, in order: name, priority, generation, signed, inEffect and, if it
 *             is not in effect in this generation, reason
 *   sections  for each section: path, policy, priority, signed, why
 *   conflicts for each section that a person must settle: path, policy (the one without effect), text
 *   notes     texts about what the view cannot know, or about what the node complains of
 * -EBADMSG: the policies together are not valid. -ENOMEM. */
HF_MUST_USE int hf_policy_view_make(const struct hf_policy_view_input *input, json_t **ret_view, struct hf_err *err);
