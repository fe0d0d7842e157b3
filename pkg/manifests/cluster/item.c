/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/cluster/item.h"

#include <errno.h>
#include <string.h>

#include "codec/sha256.h"
#include "manifests/cluster/cluster.h"

enum { MAX_FIELDS = 2 << 20 };

struct hf_cluster_id hf_cluster_item_id(const json_t *item)
{
    return (struct hf_cluster_id){
        .api_version = hf_json_str_or(item, "apiVersion", ""),
        .kind = hf_json_str_or(item, "kind", ""),
        .ns = hf_json_str_or(item, "namespace", ""),
        .name = hf_json_str_or(item, "name", ""),
    };
}

/* Not applied yet. */
static json_t *item_new(const struct hf_cluster_id *id, const char *resource)
{
    json_t *item = json_pack("{s:s, s:s, s:s, s:s}", "apiVersion", id->api_version, "kind", id->kind, "name", id->name,
                             "resource", resource);

    if (item != NULL && *id->ns != '\0' && json_object_set_new(item, "namespace", json_string(id->ns)) < 0) {
        json_decref(item);
        return NULL;
    }
    return item;
}

bool hf_cluster_item_is_applied(const json_t *item)
{
    return *hf_json_str_or(item, "uid", "") != '\0';
}

int hf_cluster_item_find(const json_t *inventory, const struct hf_cluster_id *id)
{
    for (size_t i = 0; i < json_array_size(inventory); i++) {
        const json_t *item = json_array_get(inventory, i);
        const char *name = json_string_value(json_object_get(item, "name"));
        if (name == NULL || strcmp(name, id->name) != 0) /* the quick look first: an inventory has 1,000 items */
            continue;
        struct hf_cluster_id one = hf_cluster_item_id(item);
        if (hf_cluster_id_equal(&one, id))
            return (int)i;
    }
    return -1;
}

/* ---- managed fields ---------------------------------------------------------------------------------------------- */

/* Returns our next entry in metadata.managedFields, from *i on, or NULL. */
static const json_t *next_managed(const json_t *object, size_t *i)
{
    const json_t *all = hf_json_at(object, "metadata.managedFields");

    while (*i < json_array_size(all)) {
        const json_t *one = json_array_get(all, (*i)++);
        if (strcmp(hf_json_str_or(one, "manager", ""), HF_CLUSTER_MANAGER) == 0 &&
            strcmp(hf_json_str_or(one, "operation", ""), "Apply") == 0 && json_object_get(one, "subresource") == NULL)
            return one;
    }
    return NULL;
}

bool hf_cluster_fields_hash(const json_t *object, char ret_hex[static HF_CLUSTER_FIELDS_HEX])
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_FIELDS);
    char hex[HF_SHA256_HEX];
    const json_t *one;
    size_t i = 0;

    while ((one = next_managed(object, &i)) != NULL)
        if (hf_json_canonical(json_object_get(one, "fieldsV1"), &text, NULL) < 0)
            return false;
    if (text.n == 0)
        return false;
    (void)hf_sha256_hex(text.p, text.n, hex);
    (void)memcpy(ret_hex, hex, HF_CLUSTER_FIELDS_HEX - 1);
    ret_hex[HF_CLUSTER_FIELDS_HEX - 1] = '\0';
    return true;
}

int hf_cluster_item_record(json_t *item, const json_t *object)
{
    char hex[HF_CLUSTER_FIELDS_HEX] = "";
    int r = json_object_set_new(item, "uid", json_string(hf_json_str_or(object, "metadata.uid", "")));

    (void)hf_cluster_fields_hash(object, hex);
    if (r == 0)
        r = json_object_set_new(item, "fields", json_string(hex));
    return r == 0 ? 0 : -ENOMEM;
}

enum hf_cluster_bond hf_cluster_bond_of(const json_t *object, const char *entry)
{
    const json_t *labels = hf_json_at(object, "metadata.labels");
    const json_t *notes = hf_json_at(object, "metadata.annotations");
    const char *owner = json_string_value(json_object_get(labels, HF_CLUSTER_LABEL));
    const char *prune = json_string_value(json_object_get(notes, HF_CLUSTER_PRUNE_ANNOTATION));
    size_t i = 0;

    if (owner == NULL || strcmp(owner, entry) != 0 || next_managed(object, &i) == NULL)
        return HF_CLUSTER_FOREIGN;
    return prune != NULL && strcmp(prune, "disabled") == 0 ? HF_CLUSTER_KEPT : HF_CLUSTER_OURS;
}

/* ---- what may be in place ---------------------------------------------------------------------------------------- */

static int add_wanted(json_t *all, const struct hf_cluster_object *object, const json_t *old, const char *resource)
{
    int at = hf_cluster_item_find(old, &object->id);
    json_t *item = item_new(&object->id, resource);

    if (item == NULL)
        return -ENOMEM;
    for (int i = 0; at >= 0 && i < 2; i++) {
        const char *key = i == 0 ? "uid" : "fields";
        json_t *value = json_object_get(json_array_get(old, (size_t)at), key);
        if (value != NULL && json_object_set(item, key, value) < 0) {
            json_decref(item);
            return -ENOMEM;
        }
    }
    return json_array_append_new(all, item) < 0 ? -ENOMEM : 0;
}

json_t *hf_cluster_item_union(const struct hf_cluster_set *set, const json_t *old,
                              const char *(*resource_of)(void *arg, const struct hf_cluster_object *object), void *arg)
{
    _cleanup_(hf_json_freep) json_t *all = json_array();
    int r = all != NULL ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < set->n; i++) {
        const char *resource = resource_of(arg, &set->objects[i]);
        if (resource != NULL)
            r = add_wanted(all, &set->objects[i], old, resource);
    }
    for (size_t i = 0; r == 0 && i < json_array_size(old); i++) {
        json_t *item = json_array_get(old, i);
        struct hf_cluster_id id = hf_cluster_item_id(item);
        if (hf_cluster_item_find(all, &id) < 0)
            r = json_array_append_new(all, json_deep_copy(item)) < 0 ? -ENOMEM : 0;
    }
    return r == 0 ? hf_steal(all) : NULL;
}
