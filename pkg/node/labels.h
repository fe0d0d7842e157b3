/* node/labels.h - the labels that this node should have, and if it must apply them now. Pure; any thread.
 *
 * The agent applies labels server-side, with its own field manager, as one whole set: a label that leaves the set
 * disappears, and labels of other managers stay. */
#pragma once

#include <stdbool.h>

#include "api/syncpolicy.h"
#include "node/facts.h"

/* Check a label key, which must have our prefix, or a label value by the rules of Kubernetes. */
bool hf_label_key_valid(const char *key);
bool hf_label_value_valid(const char *value);

/* Builds the labels of our prefix: detected ones, and the policy's static ones over them (the operator knows
 * better). Leaves out a static label with a key outside our prefix or an invalid value, and names it in *refused
 * (may be NULL). *ret_labels is a new object of strings in key order. -ENOMEM. */
HF_MUST_USE int hf_labels_desired(const struct hf_facts *facts, const struct hf_syncpolicy *policy, json_t **ret_labels,
                                  struct hf_issues *refused);

/* Builds the labels for selectors while the Node object is unknown: kubernetes.io/{arch,os,hostname} and `desired`. */
HF_MUST_USE int hf_labels_local(const struct hf_facts *facts, const char *node_name, const json_t *desired,
                                json_t **ret_labels);

/* True if this Node object lacks a desired label, or our field manager still owns one that is no longer desired. */
bool hf_labels_due(const json_t *node, const json_t *desired);

/* Builds the body to apply. The uid makes the API server refuse it if this Node was deleted meanwhile: applying must
 * never create a Node. */
HF_MUST_USE int hf_labels_apply_body(const char *node_name, const char *uid, const json_t *desired, json_t **ret_body);
