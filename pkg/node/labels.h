/* SPDX-License-Identifier: Apache-2.0 */
/* node/labels.h - computes the labels that this node should have, and decides if the agent must apply them now. Pure.
 * Threads: any.
 *
 * The agent applies the labels by server-side apply under its own field manager. Each apply has all desired labels. So
 * a label that is no longer desired disappears from the Node, and labels of other managers stay. */
#pragma once

#include <stdbool.h>

#include "api/syncpolicy.h"
#include "node/facts.h"

/* hf_label_key_valid() checks a label key, and hf_label_value_valid() checks a label value, by the rules of Kubernetes.
 * A key must also have the prefix HF_LABEL_PREFIX. */
bool hf_label_key_valid(const char *key);
bool hf_label_value_valid(const char *value);

/* Builds the labels with the prefix HF_LABEL_PREFIX from the labels that the agent detects (if the policy wants them)
 * and from the static labels of the policy. A static label overrides a detected label with the same key. Leaves out a
 * static label whose key has another prefix or whose value is invalid, and reports this label in *refused (may be
 * NULL). Sets *ret_labels to a new JSON object of strings in key order. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_labels_desired(const struct hf_facts *facts, const struct hf_syncpolicy *policy, json_t **ret_labels,
                                  struct hf_issues *refused);

/* Builds the labels that the agent compares with selectors while it does not have the Node object. These are
 * kubernetes.io/arch, kubernetes.io/os, kubernetes.io/hostname and the labels in `desired` (may be NULL). Returns 0 or
 * -ENOMEM. */
HF_MUST_USE int hf_labels_local(const struct hf_facts *facts, const char *node_name, const json_t *desired,
                                json_t **ret_labels);

/* Returns true if the Node object lacks a desired label or has another value for it, or if the agent's field manager
 * still owns a label that is no longer desired. */
bool hf_labels_due(const json_t *node, const json_t *desired);

/* Builds the body of the server-side apply. The body has the Node's uid (unless `uid` is ""), so that the API server
 * refuses the apply if somebody has deleted the Node. Without the uid, the apply would create a Node. */
HF_MUST_USE int hf_labels_apply_body(const char *node_name, const char *uid, const json_t *desired, json_t **ret_body);
