/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/desired/own_node.h"

#include <string.h>

#include "api/meta.h"

/* Other managers' fields make up most of a Node. */
static json_t *own_managed_fields(const json_t *node)
{
    const json_t *all = hf_json_at(node, "metadata.managedFields");
    json_t *own = json_array();

    for (size_t i = 0; i < json_array_size(all); i++) {
        json_t *entry = json_array_get(all, i);
        if (strcmp(hf_json_str_or(entry, "manager", ""), HF_FIELD_MANAGER) == 0)
            (void)json_array_append(own, entry);
    }
    return own;
}

json_t *hf_own_node_condense(const json_t *node)
{
    json_t *labels = (json_t *)(uintptr_t)hf_json_at(node, "metadata.labels");
    json_t *out = json_pack("{s:s, s:s, s:{s:s, s:s, s:o}}", "apiVersion", "v1", "kind", "Node", "metadata", "name",
                            hf_json_str_or(node, "metadata.name", ""), "uid", hf_json_str_or(node, "metadata.uid", ""),
                            "managedFields", own_managed_fields(node));

    if (out == NULL)
        return NULL;
    if (labels != NULL && json_object_set(json_object_get(out, "metadata"), "labels", labels) < 0) {
        json_decref(out);
        return NULL;
    }
    return out;
}

json_t *hf_own_node_with_labels(const json_t *node, json_t *labels)
{
    json_t *copy = json_deep_copy(node);
    json_t *old = json_object_get(json_object_get(copy, "metadata"), "labels");
    int r =
        old != NULL ? json_object_update(old, labels) : hf_json_put(copy, "metadata.labels", json_deep_copy(labels));

    if (r == 0)
        return copy;
    json_decref(copy);
    return NULL;
}
