/* rollout/labels.h - the labels of a whole fleet in little memory: each label is stored once, and so is each set of
 * labels that nodes have in common. Also label selectors that match such sets fast.
 *
 * A label whose value is the node's own name (kubernetes.io/hostname, mostly) is stored as "the node's name", so that
 * it does not make each set unique. Pure. Threads: any, one at a time for one pool. */
#pragma once

#include "api/field/selector.h"
#include "rollout/id_table.h"
#include "rollout/slab.h"

enum { HF_LABELS_MAX = 256 }; /* labels of one node; more are ignored */

struct hf_label_pool {
    struct hf_label {
        char *text; /* "key=value"; the value "\1" is the node's name */
        uint32_t refs;
    } * labels;
    size_t n_labels, cap_labels;
    struct hf_label_set {
        unsigned char *ids; /* number of labels, then the rising indices as differences; each a base-128 number */
        uint32_t n_bytes;
        uint32_t refs;
    } * sets; /* set 0 is the empty one */
    size_t n_sets, cap_sets;
    uint32_t free_label, free_set; /* heads of the lists of free items, linked through `refs`; HF_ID_NONE */
    struct hf_id_table label_table, set_table;
    struct hf_slab slab;
    size_t bytes; /* of texts and ids in use */
};

HF_MUST_USE int hf_label_pool_init(struct hf_label_pool *pool); /* 0 or -ENOMEM */
void hf_label_pool_done(struct hf_label_pool *pool);

/* Stores the labels of a node (a JSON object of strings; NULL is empty) and returns the number of their set, which the
 * caller gives back with hf_label_pool_release(). -ENOMEM: the pool is unchanged. */
HF_MUST_USE int hf_label_pool_take(struct hf_label_pool *pool, const json_t *labels, const char *node_name,
                                   uint32_t *ret_set);
void hf_label_pool_release(struct hf_label_pool *pool, uint32_t set);

/* Returns the value of a label in the set, or NULL without the label. */
const char *hf_label_pool_value(const struct hf_label_pool *pool, uint32_t set, const char *key, const char *node_name);
size_t hf_label_pool_bytes(const struct hf_label_pool *pool);

/* A label selector in a form that needs no JSON. */
struct hf_label_match {
    struct hf_label_need {
        char *key;
        char **values; /* n_values of them; none for Exists and DoesNotExist */
        size_t n_values;
        bool negative; /* NotIn and DoesNotExist */
    } * needs;
    size_t n_needs;
};

/* Copies the selector. 0 or -ENOMEM. */
HF_MUST_USE int hf_label_match_init(struct hf_label_match *match, const struct hf_selector *selector);
void hf_label_match_done(struct hf_label_match *match);

/* Returns true if a node with this set of labels and this name is selected. */
bool hf_label_match_test(const struct hf_label_match *match, const struct hf_label_pool *pool, uint32_t set,
                         const char *node_name);
