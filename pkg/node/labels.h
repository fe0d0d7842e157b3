/* SPDX-License-Identifier: Apache-2.0 */
/* The labels that this node should have, and if they must be applied. Pure.
 *
 * Each server-side apply, with our own field manager, has all labels: those no longer desired disappear. */
#pragma once

#include <stdbool.h>

#include "api/syncpolicy.h"
#include "node/facts.h"

/* Valid for Kubernetes; a key has the prefix HF_LABEL_PREFIX. */
bool hf_label_key_valid(const char *key);
bool hf_label_value_valid(const char *value);

/* Detected labels, if the policy wants them, below its static labels; in key order. *refused (may be NULL): static
 * labels left out as invalid. */
HF_MUST_USE int hf_labels_desired(const struct hf_facts *facts, const struct hf_syncpolicy *policy, json_t **ret_labels,
                                  struct hf_issues *refused);

/* For selectors while there is no Node object: kubernetes.io/arch, os, hostname and `desired` (may be NULL). */
HF_MUST_USE int hf_labels_local(const struct hf_facts *facts, const char *node_name, const json_t *desired,
                                json_t **ret_labels);

/* The Node lacks a desired label or value, or our field manager owns a label that is not desired. */
bool hf_labels_due(const json_t *node, const json_t *desired);

/* With `uid` (may be ""), the server does not create a Node that was deleted. */
HF_MUST_USE int hf_labels_apply_body(const char *node_name, const char *uid, const json_t *desired, json_t **ret_body);
