/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/labels/label_rule.h"

#include <errno.h>
#include <string.h>

#include "api/meta.h"
#include "node/labels.h"

int hf_label_rule_wanted(const json_t *edgenode, json_t **ret_labels, unsigned *ret_refused)
{
    json_t *status = json_object_get(edgenode, "status"), *reported = json_object_get(status, "labels"), *value;
    unsigned refused = 0;
    const char *key;

    if (!json_is_object(status) || json_object_size(reported) > HF_LABEL_RULE_MAX)
        return -ENODATA;
    _cleanup_(hf_json_freep) json_t *labels = json_object();
    if (labels == NULL)
        return -ENOMEM;
    json_object_foreach(reported, key, value) {
        const char *text = json_string_value(value);
        if (text == NULL || !hf_label_key_valid(key) || !hf_label_value_valid(text))
            refused++;
        else if (json_object_set(labels, key, value) < 0)
            return -ENOMEM;
    }
    if (ret_refused != NULL)
        *ret_refused = refused;
    *ret_labels = hf_steal(labels);
    return 0;
}

static uint64_t stir(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull;
    hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9ull;
    return hash ^ hash >> 27;
}

static uint64_t sum_of_one(const char *key, const char *value)
{
    return stir(stir(0xcbf29ce484222325ull, key), value);
}

uint64_t hf_label_rule_sum(const json_t *labels)
{
    uint64_t sum = 0;
    const char *key;
    json_t *value;

    json_object_foreach(hf_json_mutable(labels), key, value)
        if (json_is_string(value))
            sum += sum_of_one(key, json_string_value(value));
    return sum;
}

/* Returns the fields {"f:<key>":{}} of the labels in item i of managedFields, if that item is about what `manager` has
 * applied; otherwise NULL. The item's fieldsV1 is {"f:metadata":{"f:labels":{"f:<key>":{}}}}. */
static json_t *applied_by(const json_t *managed, size_t i, const char *manager)
{
    const json_t *item = json_array_get(managed, i);

    if (strcmp(hf_json_str_or(item, "manager", ""), manager) != 0 ||
        strcmp(hf_json_str_or(item, "operation", ""), "Apply") != 0)
        return NULL;
    return json_object_get(json_object_get(json_object_get(item, "fieldsV1"), "f:metadata"), "f:labels");
}

uint64_t hf_label_rule_owned(const json_t *node)
{
    const json_t *managed = hf_json_at(node, "metadata.managedFields"), *labels = hf_json_at(node, "metadata.labels");
    uint64_t sum = 0;
    const char *key;
    json_t *value;

    for (size_t i = 0; i < json_array_size(managed); i++)
        json_object_foreach(applied_by(managed, i, HF_LABEL_RULE_MANAGER), key, value)
            if (strncmp(key, "f:", 2) == 0) {
                const char *text = json_string_value(json_object_get(labels, key + 2));
                sum += sum_of_one(key + 2, text != NULL ? text : "");
            }
    return sum;
}

bool hf_label_rule_is_ours(const json_t *edgenode)
{
    return json_is_object(hf_json_at(edgenode, "status.labels"));
}

bool hf_label_rule_has_agents(const json_t *node)
{
    const json_t *managed = hf_json_at(node, "metadata.managedFields");
    const char *key;
    json_t *value;

    for (size_t i = 0; i < json_array_size(managed); i++)
        json_object_foreach(applied_by(managed, i, HF_FIELD_MANAGER), key, value)
            if (strncmp(key, "f:", 2) == 0 && hf_label_key_valid(key + 2))
                return true;
    return false;
}
