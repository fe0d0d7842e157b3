/* SPDX-License-Identifier: Apache-2.0 */
/* Computes the labels that this node should have. Pure.
 *
 * A server-side apply under our own field manager names all of them, so earlier labels of ours disappear. */
#pragma once

#include <stdbool.h>

#include "api/syncpolicy.h"
#include "node/facts.h"

/* Whether Kubernetes' rules allow the text; keys must also have HF_LABEL_PREFIX. */
bool hf_label_key_valid(const char *key);
bool hf_label_value_valid(const char *value);

/* Returns the detected labels, if the policy wants them, and its static labels, which win. *refused (may be NULL):
 * invalid static labels, left out. */
HF_MUST_USE int hf_labels_desired(const struct hf_facts *facts, const struct hf_syncpolicy *policy, json_t **ret_labels,
                                  struct hf_issues *refused);

/* Returns labels for selectors when there is no Node object: kubernetes.io/arch, os, hostname, and `desired` (may be
 * NULL). */
HF_MUST_USE int hf_labels_local(const struct hf_facts *facts, const char *node_name, const json_t *desired,
                                json_t **ret_labels);

/* Whether a desired label or value is missing, or our field manager owns another label. */
bool hf_labels_due(const json_t *node, const json_t *desired);

/* `uid` (may be "") keeps the server from creating a deleted Node again. */
HF_MUST_USE int hf_labels_apply_body(const char *node_name, const char *uid, const json_t *desired, json_t **ret_body);
