/* node/labels.h - computes the labels that this node should have, and decides if the agent must apply them now. Pure;
 * any thread.
 *
 * The agent applies the labels by server-side apply, with its own field manager and always as a whole set. So a label
 * that leaves the set disappears from the Node, and labels of other managers stay. */
#pragma once

#include <stdbool.h>

#include "api/syncpolicy.h"
#include "node/facts.h"

/* Check a label key or a label value by the rules of Kubernetes. A key must also have our prefix. */
bool hf_label_key_valid(const char *key);
bool hf_label_value_valid(const char *value);

/* Builds the labels with our prefix from the detected labels and the static labels of the policy. A static label
 * overrides a detected label, because the operator knows better. Leaves out a static label with a key outside our
 * prefix or an invalid value, and reports this label in *refused (may be NULL). *ret_labels is a new object of strings
 * in key order. -ENOMEM. */
HF_MUST_USE int hf_labels_desired(const struct hf_facts *facts, const struct hf_syncpolicy *policy, json_t **ret_labels,
                                  struct hf_issues *refused);

/* Builds the labels for selectors while the Node object is unknown: kubernetes.io/{arch,os,hostname} and `desired`. */
HF_MUST_USE int hf_labels_local(const struct hf_facts *facts, const char *node_name, const json_t *desired,
                                json_t **ret_labels);

/* Returns true if this Node object lacks a desired label, or if our field manager still owns a label that is no longer
 * desired. */
bool hf_labels_due(const json_t *node, const json_t *desired);

/* Builds the body of the apply. The uid in the body makes the API server refuse the apply if somebody has deleted this
 * Node, because an apply must never create a Node. */
HF_MUST_USE int hf_labels_apply_body(const char *node_name, const char *uid, const json_t *desired, json_t **ret_body);
