/* SPDX-License-Identifier: Apache-2.0 */
/* Order: Namespaces and CustomResourceDefinitions; what others refer to (classes, quotas, accounts, roles,
 * configuration, volumes); most objects; webhooks, admission policies and APIServices, which may hinder others. */
#include "manifests/cluster/set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/encoding/base64.h"

enum { RANK_REST = 9, MAX_NAME = 253, MAX_NAMESPACE = 63, MAX_API_VERSION = 320, MAX_KIND = 63 };

/* Kinds with a place of their own. `group` is NULL where the kind's name is enough. */
static const struct {
    const char *group, *kind;
    unsigned rank;
} ranks[] = {
    {"", "Namespace", 0},
    {"apiextensions.k8s.io", "CustomResourceDefinition", 1},
    {NULL, "StorageClass", 2},
    {NULL, "PriorityClass", 2},
    {NULL, "RuntimeClass", 2},
    {NULL, "IngressClass", 2},
    {"", "ResourceQuota", 3},
    {"", "LimitRange", 3},
    {NULL, "NetworkPolicy", 3},
    {"", "ServiceAccount", 4},
    {"rbac.authorization.k8s.io", "ClusterRole", 5},
    {"rbac.authorization.k8s.io", "Role", 5},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding", 6},
    {"rbac.authorization.k8s.io", "RoleBinding", 6},
    {"", "ConfigMap", 7},
    {"", "Secret", 7},
    {"", "PersistentVolume", 8},
    {"", "PersistentVolumeClaim", 8},
    {"apiregistration.k8s.io", "APIService", 10},
    {"admissionregistration.k8s.io", NULL, 10},
};

/* Fields that only an API server writes. */
static const char *const servers_fields[] = {"uid",           "resourceVersion", "generation", "creationTimestamp",
                                             "managedFields", "selfLink"};

static size_t group_length(const char *api_version)
{
    const char *slash = strchr(api_version, '/');

    return slash != NULL ? (size_t)(slash - api_version) : 0;
}

static bool group_is(const char *api_version, const char *group)
{
    size_t n = group_length(api_version);

    return strlen(group) == n && strncmp(api_version, group, n) == 0;
}

unsigned hf_cluster_rank(const char *api_version, const char *kind)
{
    for (size_t i = 0; i < HF_LEN(ranks); i++)
        if ((ranks[i].group == NULL || group_is(api_version, ranks[i].group)) &&
            (ranks[i].kind == NULL || strcmp(ranks[i].kind, kind) == 0))
            return ranks[i].rank;
    return RANK_REST;
}

bool hf_cluster_id_equal(const struct hf_cluster_id *a, const struct hf_cluster_id *b)
{
    size_t n = group_length(a->api_version);

    return n == group_length(b->api_version) && strncmp(a->api_version, b->api_version, n) == 0 &&
           strcmp(a->kind, b->kind) == 0 && strcmp(a->ns, b->ns) == 0 && strcmp(a->name, b->name) == 0;
}

const char *hf_cluster_id_text(const struct hf_cluster_id *id, char *text, size_t n)
{
    (void)snprintf(text, n, "%.60s %.63s%s%.100s", id->kind, id->ns, *id->ns != '\0' ? "/" : "", id->name);
    return text;
}

/* ---- one document ------------------------------------------------------------------------------------------------ */

static bool made_of(const char *text, const char *more, size_t max)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t n = 0;

    while (n <= max && text[n] != '\0' && (strchr(plain, text[n]) != NULL || strchr(more, text[n]) != NULL))
        n++;
    return n > 0 && n <= max && text[n] == '\0';
}

static bool is_api_version(const char *text)
{
    const char *slash = strchr(text, '/');

    return made_of(text, "./", MAX_API_VERSION) && strstr(text, "..") == NULL && *text != '/' &&
           (slash == NULL || (slash[1] != '\0' && strchr(slash + 1, '/') == NULL));
}

static bool is_kind(const char *text)
{
    return made_of(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", MAX_KIND);
}

/* Names of some kinds, such as roles, may have more characters than DNS allows, but a path has to hold each one. */
static bool is_name(const char *text)
{
    return made_of(text, ".:_ABCDEFGHIJKLMNOPQRSTUVWXYZ", MAX_NAME) && strcmp(text, ".") != 0 &&
           strcmp(text, "..") != 0;
}

static int check(const json_t *document, struct hf_err *err)
{
    const char *api_version = hf_json_str_or(document, "apiVersion", ""), *kind = hf_json_str_or(document, "kind", "");
    const char *ns = hf_json_str(document, "metadata.namespace");

    if (!json_is_object(document) || !is_api_version(api_version))
        return hf_err_set(err, EBADMSG, "'apiVersion' is missing, or no group and version such as apps/v1");
    if (!is_kind(kind))
        return hf_err_set(err, EBADMSG, "'kind' is missing, or no name of a kind");
    if (group_is(api_version, "kustomize.config.k8s.io"))
        return hf_err_set(err, EBADMSG, "is a build file of kustomize: publish the output of 'kustomize build'");
    if (!is_name(hf_json_str_or(document, "metadata.name", "")))
        return hf_err_set(err, EBADMSG, "%s: 'metadata.name' is missing, or no name of an object", kind);
    if ((hf_json_at(document, "metadata.namespace") != NULL && ns == NULL) ||
        (ns != NULL && *ns != '\0' && !made_of(ns, "", MAX_NAMESPACE)))
        return hf_err_set(err, EBADMSG, "%s: 'metadata.namespace' is no name of a namespace", kind);
    return 0;
}

/* Puts a copy of a member in its place: an alias of YAML may have put one tree into several places. Returns the copy, a
 * new object if the member is absent or null, or NULL. */
static json_t *own_member(json_t *object, const char *key)
{
    json_t *old = json_object_get(object, key), *copy = json_is_object(old) ? json_copy(old) : json_object();

    return json_object_set_new(object, key, copy) == 0 ? copy : NULL;
}

/* Moves the texts of a Secret's `stringData` to `data`, as the server does when it stores them. In an apply, the server
 * would note that we own stringData, and take no notice of what happens to data: a key that the source drops would
 * stay, and a change by somebody else would be no drift. */
static int fold_string_data(json_t *document, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *texts = json_incref(json_object_get(document, "stringData"));
    _cleanup_(hf_buf_done) struct hf_buf encoded = HF_BUF_INIT(HF_CLUSTER_MAX_BYTES * 2);
    const char *key;
    json_t *value;

    if (strcmp(hf_json_str_or(document, "kind", ""), "Secret") != 0 ||
        strcmp(hf_json_str_or(document, "apiVersion", ""), "v1") != 0 || !json_is_object(texts))
        return 0;
    json_t *data = own_member(document, "data");
    if (data == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    json_object_foreach(texts, key, value) {
        if (!json_is_string(value))
            return hf_err_set(err, EBADMSG, "'stringData.%.100s' is not a string", key);
        encoded.n = 0;
        if (hf_base64_encode(json_string_value(value), json_string_length(value), &encoded) < 0 ||
            json_object_set_new(data, key, json_stringn(encoded.p, encoded.n)) < 0)
            return hf_err_set(err, ENOMEM, "out of memory");
    }
    (void)json_object_del(document, "stringData");
    return 0;
}

/* Removes what the source must not bring, and adds the label of the entry. */
static int adjust(json_t *document, const char *entry, struct hf_err *err)
{
    const json_t *given = hf_json_at(document, "metadata.labels");
    json_t *metadata, *labels;

    if (given != NULL && !json_is_null(given) && !json_is_object(given))
        return hf_err_set(err, EBADMSG, "'metadata.labels' is not an object");
    metadata = own_member(document, "metadata");
    labels = metadata != NULL ? own_member(metadata, "labels") : NULL;
    if (labels == NULL || json_object_set_new(labels, HF_CLUSTER_LABEL, json_string(entry)) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    (void)json_object_del(document, "status");
    for (size_t i = 0; i < HF_LEN(servers_fields); i++)
        (void)json_object_del(metadata, servers_fields[i]);
    return fold_string_data(document, err);
}

/* ---- one object of the set --------------------------------------------------------------------------------------- */

static void object_done(struct hf_cluster_object *object)
{
    free(object->names);
    free(object->json);
    free(object->file);
}

/* Copies the four strings of an identity into one piece of memory. */
static char *copy_id(const json_t *document, struct hf_cluster_id *ret_id)
{
    const char *paths[] = {"apiVersion", "kind", "metadata.namespace", "metadata.name"};
    const char **places[] = {&ret_id->api_version, &ret_id->kind, &ret_id->ns, &ret_id->name};
    size_t most = MAX_API_VERSION + MAX_KIND + MAX_NAMESPACE + MAX_NAME + HF_LEN(paths);
    char *names = calloc(1, most), *end = names;

    for (size_t i = 0; names != NULL && i < HF_LEN(paths); i++) {
        *places[i] = end;
        end = stpcpy(end, hf_json_str_or(document, paths[i], "")) + 1; /* check() has measured each one */
    }
    return names;
}

static int object_init(struct hf_cluster_object *object, const json_t *document, const char *path, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLUSTER_MAX_OBJECT);
    int r = hf_json_format(document, &text);

    *object = (struct hf_cluster_object){.n_json = text.n};
    if (r == -E2BIG)
        return hf_err_set(err, E2BIG, "the object has more than %d bytes", (int)HF_CLUSTER_MAX_OBJECT);
    if (r < 0)
        return hf_err_sys(err, r, "format the object");
    object->names = copy_id(document, &object->id);
    object->json = hf_buf_take(&text);
    object->file = strdup(path);
    if (object->names == NULL || object->json == NULL || object->file == NULL) {
        object_done(object);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    object->rank = hf_cluster_rank(object->id.api_version, object->id.kind);
    return 0;
}

int hf_cluster_set_scope(struct hf_cluster_object *object, bool namespaced)
{
    _cleanup_(hf_json_freep) json_t *tree = NULL;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLUSTER_MAX_OBJECT + 128);
    const char *ns = !namespaced ? "" : *object->id.ns != '\0' ? object->id.ns : "default";

    if (strcmp(ns, object->id.ns) == 0)
        return 0;
    int r = hf_json_parse((struct hf_view){object->json, object->n_json}, NULL, &tree, NULL);
    if (r == 0 && *ns != '\0')
        r = hf_json_put(tree, "metadata.namespace", json_string(ns));
    else if (r == 0)
        (void)json_object_del(json_object_get(tree, "metadata"), "namespace");
    if (r == 0)
        r = hf_json_format(tree, &text);
    char *json = r == 0 ? hf_buf_take(&text) : NULL;
    if (json == NULL)
        return -ENOMEM;
    free(object->json);
    object->id.ns = *ns != '\0' ? "default" : "";
    object->json = json;
    object->n_json = strlen(json);
    return 0;
}

/* ---- the set ----------------------------------------------------------------------------------------------------- */

void hf_cluster_set_init(struct hf_cluster_set *set, const char *entry)
{
    *set = (struct hf_cluster_set){.entry = entry};
}

void hf_cluster_set_done(struct hf_cluster_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        object_done(&set->objects[i]);
    free(set->objects);
    *set = (struct hf_cluster_set){.entry = set->entry};
}

static bool is_list(const json_t *document)
{
    const char *kind = hf_json_str_or(document, "kind", "");
    size_t n = strlen(kind);

    return n >= 4 && strcmp(kind + n - 4, "List") == 0 && json_is_array(json_object_get(document, "items"));
}

static int add_object(struct hf_cluster_set *set, const char *path, json_t *document, struct hf_err *err)
{
    int r = check(document, err);

    if (r == 0)
        r = adjust(document, set->entry, err);
    if (r == 0 && hf_array_grow(set->objects, set->n, set->cap, HF_CLUSTER_MAX_OBJECTS) < 0)
        r = hf_err_set(err, E2BIG, "the source has more than %d objects", (int)HF_CLUSTER_MAX_OBJECTS);
    if (r == 0)
        r = object_init(&set->objects[set->n], document, path, err);
    if (r < 0)
        return r;
    set->objects[set->n].place = (unsigned)set->n;
    set->bytes += set->objects[set->n].n_json;
    set->n++;
    return set->bytes <= HF_CLUSTER_MAX_BYTES
               ? 0
               : hf_err_set(err, E2BIG, "the objects have more than %d bytes", (int)HF_CLUSTER_MAX_BYTES);
}

static int add_document(struct hf_cluster_set *set, const char *path, json_t *document, struct hf_err *err)
{
    const json_t *items = json_object_get(document, "items");
    int r = 0;

    if (!is_list(document))
        return add_object(set, path, document, err);
    for (size_t i = 0; r == 0 && i < json_array_size(items); i++) {
        r = add_object(set, path, json_array_get(items, i), err);
        if (r < 0)
            return hf_err_wrap(err, r, "item %zu", i + 1);
    }
    return r;
}

static bool has_suffix(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);

    return n > m && strcmp(path + n - m, suffix) == 0;
}

bool hf_cluster_set_reads(const char *path)
{
    return has_suffix(path, ".yaml") || has_suffix(path, ".yml") || has_suffix(path, ".json");
}

int hf_cluster_set_add(struct hf_cluster_set *set, const char *path, struct hf_view text, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *documents = NULL;
    int r;

    if (!hf_cluster_set_reads(path))
        return 0;
    r = hf_yaml_parse_all(text, NULL, &documents, err); /* JSON is YAML */
    if (r < 0)
        return hf_err_wrap(err, r, "'%.100s'", path);
    for (size_t i = 0; i < json_array_size(documents); i++) {
        r = add_document(set, path, json_array_get(documents, i), err);
        if (r < 0)
            return hf_err_wrap(err, r, "'%.100s', document %zu", path, i + 1);
    }
    return 0;
}

static int by_order(const void *a, const void *b)
{
    const struct hf_cluster_object *x = a, *y = b;

    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

int hf_cluster_set_check_unique(const struct hf_cluster_set *set, struct hf_err *err)
{
    char text[256];

    for (size_t i = 0; i < set->n; i++)
        for (size_t j = i + 1; j < set->n && set->objects[j].rank == set->objects[i].rank; j++)
            if (hf_cluster_id_equal(&set->objects[i].id, &set->objects[j].id))
                return hf_err_set(err, EEXIST, "%s is in '%.60s' and in '%.60s'",
                                  hf_cluster_id_text(&set->objects[i].id, text, sizeof(text)), set->objects[i].file,
                                  set->objects[j].file);
    return 0;
}

int hf_cluster_set_seal(struct hf_cluster_set *set, struct hf_err *err)
{
    if (set->n == 0)
        return hf_err_set(err, ENODATA, "the source has no object: no *.yaml, *.yml or *.json with a document");
    qsort(set->objects, set->n, sizeof(*set->objects), by_order);
    return hf_cluster_set_check_unique(set, err);
}

const struct hf_cluster_object *hf_cluster_set_find(const struct hf_cluster_set *set, const struct hf_cluster_id *id)
{
    for (size_t i = 0; i < set->n; i++)
        if (hf_cluster_id_equal(&set->objects[i].id, id))
            return &set->objects[i];
    return NULL;
}
