/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/cluster/item.h - items of an inventory (their format is in manifests/cluster/cluster.h), and who owns a
 * live object. "Live" means: as the API server has it now. Pure. Threads: any, but only one at a time for one JSON
 * value. */
#pragma once

#include "codec/json.h"
#include "manifests/cluster/set.h"

enum { HF_CLUSTER_FIELDS_HEX = 17 };

/* Returns the identity of an item. Its strings belong to the item. */
struct hf_cluster_id hf_cluster_item_id(const json_t *item);
/* Makes an item without `uid` and `fields`, because its object is not applied yet. Returns NULL if memory runs out. */
json_t *hf_cluster_item_new(const struct hf_cluster_id *id, const char *resource);
/* Returns true if an item has a `uid`: a run has seen its object as applied. */
bool hf_cluster_item_is_applied(const json_t *item);
/* Sets `uid` and `fields` of an item from `object`, the live object after our apply. -ENOMEM: out of memory. */
HF_MUST_USE int hf_cluster_item_record(json_t *item, const json_t *object);
/* Returns the index of the item with this identity in an inventory, or -1. */
int hf_cluster_item_find(const json_t *inventory, const struct hf_cluster_id *id);

/* Returns a new inventory of all objects that a run with this set may leave in the cluster: the objects of the set in
 * order, with the `uid` and `fields` that `old` (may be NULL) has of them, then the other items of `old`. `resource_of`
 * returns the plural name of an object's resource; NULL: the server does not serve the kind, so the object counts as
 * not in the set. NULL: memory ran out. */
json_t *hf_cluster_item_union(const struct hf_cluster_set *set, const json_t *old,
                              const char *(*resource_of)(void *arg, const struct hf_cluster_object *object), void *arg);

/* Writes the first 16 hex digits of the SHA-256 of the list of fields, not their values, that we own in a live object
 * (`fieldsV1` in metadata.managedFields). Returns false if we own none, or if memory runs out. */
bool hf_cluster_fields_hash(const json_t *object, char ret_hex[static HF_CLUSTER_FIELDS_HEX]);

/* Whether an entry may delete a live object. */
enum hf_cluster_bond {
    HF_CLUSTER_OURS,    /* the entry may delete the object */
    HF_CLUSTER_KEPT,    /* the object's annotation `edge.codcompass.io/prune: disabled` forbids the deletion */
    HF_CLUSTER_FOREIGN, /* the object carries another entry's label or none, or we own no field of it */
};
/* The uid does not count: power may fail after the object was created again and before its uid is on disk. */
enum hf_cluster_bond hf_cluster_bond_of(const json_t *object, const char *entry);
