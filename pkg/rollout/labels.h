/* SPDX-License-Identifier: Apache-2.0 */
/* Labels of a fleet: each label and set is stored once. The node's own name as a value (kubernetes.io/hostname) becomes
 * a placeholder. Pure. */
#pragma once

#include "api/field/selector.h"
#include "rollout/id_table.h"
#include "rollout/slab.h"

struct hf_label_pool {
    struct hf_label {
        char *text; /* "key=value"; the value "\1" is the node's name */
        uint32_t refs;
    } * labels;
    size_t n_labels, cap_labels;
    struct hf_label_set {
        /* base-128: number of labels, then differences of ascending indexes */
        unsigned char *ids;
        uint32_t n_bytes;
        uint32_t refs;
    } * sets; /* set 0 is empty */
    size_t n_sets, cap_sets;
    uint32_t free_label, free_set; /* first free one, or HF_ID_NONE; linked by `refs` */
    struct hf_id_table label_table, set_table;
    struct hf_slab slab;
    size_t bytes;
};

/* The struct must not move afterwards. */
HF_MUST_USE int hf_label_pool_init(struct hf_label_pool *pool);
void hf_label_pool_done(struct hf_label_pool *pool);

/* The caller releases *ret_set. -ENOMEM: the pool is unchanged. */
HF_MUST_USE int hf_label_pool_take(struct hf_label_pool *pool, const json_t *labels, const char *node_name,
                                   uint32_t *ret_set);
void hf_label_pool_release(struct hf_label_pool *pool, uint32_t set);

const char *hf_label_pool_value(const struct hf_label_pool *pool, uint32_t set, const char *key, const char *node_name);
size_t hf_label_pool_bytes(const struct hf_label_pool *pool);

struct hf_label_match {
    struct hf_label_need {
        char *key;
        char **values; /* none for Exists and DoesNotExist */
        size_t n_values;
        bool negative; /* NotIn, DoesNotExist */
    } * needs;
    size_t n_needs;
};

HF_MUST_USE int hf_label_match_init(struct hf_label_match *match, const struct hf_selector *selector);
void hf_label_match_done(struct hf_label_match *match);

bool hf_label_match_test(const struct hf_label_match *match, const struct hf_label_pool *pool, uint32_t set,
                         const char *node_name);
