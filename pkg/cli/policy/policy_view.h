/* SPDX-License-Identifier: Apache-2.0 */
/* Finds which SyncPolicy gives each section of a node's settings. */
#pragma once

#include "base/err.h"
#include "codec/json.h"

struct hf_policy_view_input {
    const char *node;
    const json_t *edgenode; /* NULL: a new node */
    const json_t *labels;   /* NULL: show only policies that the node reports */
    const json_t *policies; /* also those of other nodes */
};

/* Members of *ret_view:
 *
 *   node      name, or null
 *   reported  the node's report gives sections; those that it lacks yet come last
 *   policies  of the node, in order: name, priority, generation, signed, inEffect, reason
 *   sections  path, policy, priority, signed, why
 *   conflicts  for a person: path, policy (the one without effect), text
 *   notes     what the view cannot know or take, or the node complains of
 *
 * -EBADMSG: the policies are invalid together. */
HF_MUST_USE int hf_policy_view_make(const struct hf_policy_view_input *input, json_t **ret_view, struct hf_err *err);
