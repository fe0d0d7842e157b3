/* node/labels.h - which labels this node shall carry, and whether they must be applied now. Pure.
 *
 * Labels are applied server-side with our own field manager as one whole set: what is no longer in it disappears, what others
 * set stays. */
#pragma once

#include <stdbool.h>

#include "api/syncpolicy.h"
#include "node/facts.h"

/* Kubernetes' rules for label keys (with our prefix only) and values. */
bool hf_label_key_valid(const char *key);
bool hf_label_value_valid(const char *value);

/* The labels of our prefix: detected ones, then the policy's static ones over them (the operator knows better). A static
 * label with a key outside our prefix or an invalid value is left out and named in *refused (may be NULL). *ret_labels: a new
 * object of strings in key order. -ENOMEM. */
HF_MUST_USE int hf_labels_desired(const struct hf_facts *facts, const struct hf_syncpolicy *policy, json_t **ret_labels,
                                  struct hf_issues *refused);

/* What selectors are matched against while no Node object is known: kubernetes.io/{arch,os,hostname} and `desired`. */
HF_MUST_USE int hf_labels_local(const struct hf_facts *facts, const char *node_name, const json_t *desired,
                                json_t **ret_labels);

/* Does this Node object lack one of the desired labels, or does our field manager still own one that is no longer desired? */
bool hf_labels_due(const json_t *node, const json_t *desired);

/* The body to apply. The uid makes the API server refuse it when this Node was deleted meanwhile: applying must never bring a
 * Node into being. */
HF_MUST_USE int hf_labels_apply_body(const char *node_name, const char *uid, const json_t *desired, json_t **ret_body);
