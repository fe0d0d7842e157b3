/* SPDX-License-Identifier: Apache-2.0 */
/* rollout/labels.h - keeps the labels of a whole fleet in little memory: it stores each label once, and each set of
 * labels once. Also matches label selectors against these sets.
 *
 * A label whose value is the node's own name (usually kubernetes.io/hostname) is stored with a placeholder as its
 * value, because otherwise each node would have a set of its own. Pure. Threads: any, one at a time for one pool. */
#pragma once

#include "api/field/selector.h"
#include "rollout/id_table.h"
#include "rollout/slab.h"

enum { HF_LABELS_MAX = 256 }; /* labels of one node; more are ignored */

struct hf_label_pool {
    struct hf_label {
        char *text; /* "key=value"; the value "\1" stands for the node's name */
        uint32_t refs;
    } * labels;
    size_t n_labels, cap_labels;
    struct hf_label_set {
        /* base-128 numbers: first the number of labels; then, for each label in ascending order of the indexes, its
         * index minus the index of the label before it */
        unsigned char *ids;
        uint32_t n_bytes;
        uint32_t refs;
    } * sets; /* set 0 has no labels */
    size_t n_sets, cap_sets;
    uint32_t free_label, free_set; /* first free item, or HF_ID_NONE; `refs` links the free items */
    struct hf_id_table label_table, set_table;
    struct hf_slab slab;
    size_t bytes; /* memory of texts and ids in use */
};

/* Initializes a pool. Returns 0 or -ENOMEM. After that, the caller must not move the struct in memory. */
HF_MUST_USE int hf_label_pool_init(struct hf_label_pool *pool);
void hf_label_pool_done(struct hf_label_pool *pool);

/* Stores the labels of a node (a JSON object of strings; NULL means no labels). Sets *ret_set to the index
 * of the stored set. The caller gives the set back with hf_label_pool_release(). -ENOMEM: the pool is unchanged. */
HF_MUST_USE int hf_label_pool_take(struct hf_label_pool *pool, const json_t *labels, const char *node_name,
                                   uint32_t *ret_set);
void hf_label_pool_release(struct hf_label_pool *pool, uint32_t set);

/* Returns the value of the label `key` in the set, or NULL if the set does not have it. */
const char *hf_label_pool_value(const struct hf_label_pool *pool, uint32_t set, const char *key, const char *node_name);
size_t hf_label_pool_bytes(const struct hf_label_pool *pool);

/* A label selector in a form that needs no JSON. */
struct hf_label_match {
    struct hf_label_need {
        char *key;
        char **values; /* array of n_values strings; none for Exists and DoesNotExist */
        size_t n_values;
        bool negative; /* NotIn and DoesNotExist */
    } * needs;
    size_t n_needs;
};

/* Copies the selector into *match. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_label_match_init(struct hf_label_match *match, const struct hf_selector *selector);
void hf_label_match_done(struct hf_label_match *match);

/* Returns true if the selector selects a node with this set of labels and this name. */
bool hf_label_match_test(const struct hf_label_match *match, const struct hf_label_pool *pool, uint32_t set,
                         const char *node_name);
