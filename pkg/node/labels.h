/* SPDX-License-Identifier: Apache-2.0 */
/* The labels that this node should have; must they be applied? Pure.
 *
 * Server-side apply, with our own field manager, always has all labels: others of ours go. */
#pragma once

#include <stdbool.h>

#include "api/syncpolicy.h"
#include "node/facts.h"

/* By Kubernetes' rules; keys have HF_LABEL_PREFIX. */
bool hf_label_key_valid(const char *key);
bool hf_label_value_valid(const char *value);

/* Detected labels, if the policy wants them, and its static ones, which win; in key order. *refused (may be NULL):
 * invalid static labels, left out. */
HF_MUST_USE int hf_labels_desired(const struct hf_facts *facts, const struct hf_syncpolicy *policy, json_t **ret_labels,
                                  struct hf_issues *refused);

/* For selectors without a Node object: kubernetes.io/arch, os, hostname, and `desired` (may be NULL). */
HF_MUST_USE int hf_labels_local(const struct hf_facts *facts, const char *node_name, const json_t *desired,
                                json_t **ret_labels);

/* A desired label or value is missing, or our field manager owns another. */
bool hf_labels_due(const json_t *node, const json_t *desired);

/* `uid` (may be "") keeps the server from creating a deleted Node. */
HF_MUST_USE int hf_labels_apply_body(const char *node_name, const char *uid, const json_t *desired, json_t **ret_body);
