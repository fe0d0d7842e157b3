/* SPDX-License-Identifier: Apache-2.0 */
/* Items of an inventory (format: cluster/cluster.c), and who owns an object on the server. Pure. */
#pragma once

#include "codec/json.h"
#include "manifests/cluster/set.h"

enum { HF_CLUSTER_FIELDS_HEX = 17 };

/* Borrowed from the item. */
struct hf_cluster_id hf_cluster_item_id(const json_t *item);
bool hf_cluster_item_is_applied(const json_t *item);
/* Sets `uid` and `fields` from `object`, as it is after our apply. */
HF_MUST_USE int hf_cluster_item_record(json_t *item, const json_t *object);
/* Returns the index, or -1. */
int hf_cluster_item_find(const json_t *inventory, const struct hf_cluster_id *id);

/* Returns all that a run with this set may leave in the cluster: the set's objects in order, with `uid` and `fields`
 * from `old` (may be NULL), then the other items of `old`. `resource_of` returns the plural; NULL: the kind is not
 * served, and the object is left out unless `old` has it. */
json_t *hf_cluster_item_union(const struct hf_cluster_set *set, const json_t *old,
                              const char *(*resource_of)(void *arg, const struct hf_cluster_object *object), void *arg);

/* Hashes the list of fields that we own (`fieldsV1`), not their values: first 16 hex digits of the SHA-256. False: we
 * own none, or no memory. */
bool hf_cluster_fields_hash(const json_t *object, char ret_hex[static HF_CLUSTER_FIELDS_HEX]);

enum hf_cluster_bond {
    HF_CLUSTER_OURS,    /* may be deleted */
    HF_CLUSTER_KEPT,    /* annotated `edge.codcompass.io/prune: disabled` */
    HF_CLUSTER_FOREIGN, /* it has another entry's label or none, or we own none of its fields */
};
/* Ignores the uid: a crash may have come after the object was created again, before its uid was saved. */
enum hf_cluster_bond hf_cluster_bond_of(const json_t *object, const char *entry);
