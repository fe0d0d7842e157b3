/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/folder/folder_objects.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/meta.h"
#include "kube/resource.h"

/* Returns true for a list. *ret_kind is the kind of its items: one of ours, or "" for a List of anything. */
static bool is_list(const json_t *document, char ret_kind[64])
{
    const char *kind = hf_json_str_or(document, "kind", ""), *version = hf_json_str_or(document, "apiVersion", "");
    size_t n = strlen(kind);

    if (strcmp(kind, "List") == 0 && strcmp(version, "v1") == 0) {
        ret_kind[0] = '\0';
        return true;
    }
    if (n <= 4 || n - 4 >= 64 || strcmp(kind + n - 4, "List") != 0)
        return false;
    (void)snprintf(ret_kind, 64, "%.*s", (int)(n - 4), kind);
    const struct hf_resource *resource = hf_resource_find(ret_kind);
    return resource != NULL && strcmp(resource->api_version, version) == 0;
}

/* An API server leaves out what the list says. */
static int complete(json_t *item, const char *kind, const char *version)
{
    if (kind[0] == '\0' || !json_is_object(item))
        return 0;
    if (json_object_get(item, "kind") == NULL && json_object_set_new(item, "kind", json_string(kind)) < 0)
        return -ENOMEM;
    return json_object_get(item, "apiVersion") == NULL &&
                   json_object_set_new(item, "apiVersion", json_string(version)) < 0
               ? -ENOMEM
               : 0;
}

static int each_item(json_t *document, size_t number, const char *kind,
                     int (*each)(void *arg, const struct hf_folder_object *object, struct hf_err *err), void *arg,
                     struct hf_err *err)
{
    const json_t *items = json_object_get(document, "items");
    char at[40], unused[64];
    int r = 0;

    if (!json_is_array(items))
        return hf_err_set(err, EBADMSG, "a list without items");
    for (size_t i = 0; r == 0 && i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);
        (void)snprintf(at, sizeof(at), "items[%zu]", i);
        if (is_list(item, unused))
            return hf_err_set(err, EBADMSG, "%s: a list within a list", at);
        if (complete(item, kind, hf_json_str_or(document, "apiVersion", "")) < 0)
            return hf_err_set(err, ENOMEM, "out of memory");
        r = each(arg, &(struct hf_folder_object){.object = item, .document = number, .at = at}, err);
    }
    return r;
}

int hf_folder_each_object(const json_t *documents,
                          int (*each)(void *arg, const struct hf_folder_object *object, struct hf_err *err), void *arg,
                          struct hf_err *err)
{
    char kind[64];
    int r = 0;

    for (size_t i = 0; r == 0 && i < json_array_size(documents); i++) {
        json_t *document = json_array_get(documents, i);
        if (is_list(document, kind))
            r = each_item(document, i, kind, each, arg, err);
        else
            r = each(arg, &(struct hf_folder_object){.object = document, .document = i, .at = ""}, err);
    }
    return r;
}

int hf_folder_object_check(const json_t *object, struct hf_err *err)
{
    const char *version = hf_json_str_or(object, "apiVersion", ""), *kind = hf_json_str_or(object, "kind", "");
    const struct hf_resource *resource = hf_resource_find(kind);
    const char *slash = strchr(version, '/');
    size_t group = slash != NULL ? (size_t)(slash - version) : 0;
    bool our_group = group == strlen(HF_API_GROUP) && memcmp(version, HF_API_GROUP, group) == 0;

    if (!our_group && !(strcmp(version, "v1") == 0 && strcmp(kind, "Node") == 0))
        return 0; /* a checkout may hold anything */
    if (resource == NULL || strcmp(resource->api_version, version) != 0)
        return hf_err_set(err, EBADMSG, "unknown kind '%.60s' of '%.60s'", kind, version);
    if (*hf_json_str_or(object, "metadata.name", "") == '\0')
        return hf_err_set(err, EBADMSG, "%s without metadata.name", kind);
    /* The bound of an API server; journal, cache and signature rely on it. */
    if (hf_json_format_size(object) > HF_API_MAX_OBJECT_BYTES)
        return hf_err_set(err, E2BIG, "%s '%.60s' is larger than %d bytes", kind,
                          hf_json_str_or(object, "metadata.name", ""), HF_API_MAX_OBJECT_BYTES);
    return 1;
}

/* The signed sequence of an object; 0 without one. */
static json_int_t sequence_of(const json_t *object)
{
    const json_t *of_release = hf_json_at(object, "spec.release.sequence");

    return json_integer_value(of_release != NULL ? of_release : hf_json_at(object, "spec.sequence"));
}

enum hf_folder_twin hf_folder_twin_of(const json_t *first, const json_t *second)
{
    json_int_t before = sequence_of(first), after = sequence_of(second);

    if (json_equal(hf_json_mutable(first), hf_json_mutable(second)))
        return HF_FOLDER_TWIN_SAME;
    if (before == after)
        return HF_FOLDER_TWIN_CLASH;
    return before > after ? HF_FOLDER_TWIN_FIRST : HF_FOLDER_TWIN_SECOND;
}
