/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/cluster/kinds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HF_CLUSTER_MAX_KINDS = 2000 };

enum { MAX_KEY = 400 };

void hf_cluster_kinds_init(struct hf_cluster_kinds *kinds)
{
    *kinds = (struct hf_cluster_kinds){.kinds = {.free_value = free}};
}

void hf_cluster_kinds_done(struct hf_cluster_kinds *kinds)
{
    hf_strmap_done(&kinds->kinds);
    hf_strmap_done(&kinds->asked);
}

static const char *key_of(const char *api_version, const char *kind, char key[static MAX_KEY])
{
    (void)snprintf(key, MAX_KEY, "%.320s %.63s", api_version, kind);
    return key;
}

/* Ignores what can be no plural name, and what is too much. */
static int add(struct hf_cluster_kinds *kinds, const char *api_version, const char *kind,
               const struct hf_cluster_kind *what)
{
    char key[MAX_KEY];

    (void)key_of(api_version, kind, key);
    if (*what->plural == '\0' || kinds->kinds.n >= HF_CLUSTER_MAX_KINDS || hf_strmap_get(&kinds->kinds, key) != NULL)
        return 0;
    struct hf_cluster_kind *copy = malloc(sizeof(*copy));
    if (copy == NULL)
        return -ENOMEM;
    *copy = *what;
    int r = hf_strmap_put(&kinds->kinds, key, copy);
    if (r < 0)
        free(copy);
    return r;
}

/* Sets the plural name if it fits; a longer one than DNS allows is none. */
static void set_plural(struct hf_cluster_kind *kind, const char *plural)
{
    if (strlen(plural) < sizeof(kind->plural))
        (void)memcpy(kind->plural, plural, strlen(plural) + 1);
}

static int define(struct hf_cluster_kinds *kinds, const json_t *crd)
{
    const json_t *versions = hf_json_at(crd, "spec.versions");
    const char *group = hf_json_str_or(crd, "spec.group", ""), *name = hf_json_str_or(crd, "spec.names.kind", "");
    struct hf_cluster_kind kind = {.defined = true,
                                   .namespaced = strcmp(hf_json_str_or(crd, "spec.scope", ""), "Namespaced") == 0};
    char api_version[320];
    int r = 0;

    set_plural(&kind, hf_json_str_or(crd, "spec.names.plural", ""));
    for (size_t i = 0; r == 0 && i < json_array_size(versions); i++) {
        (void)snprintf(api_version, sizeof(api_version), "%.253s/%.63s", group,
                       hf_json_str_or(json_array_get(versions, i), "name", ""));
        r = add(kinds, api_version, name, &kind);
    }
    return r;
}

int hf_cluster_kinds_define(struct hf_cluster_kinds *kinds, const struct hf_cluster_set *set)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < set->n; i++) {
        _cleanup_(hf_json_freep) json_t *tree = NULL;
        const struct hf_cluster_object *object = &set->objects[i];
        if (strcmp(object->id.kind, "CustomResourceDefinition") != 0)
            continue;
        r = hf_json_parse((struct hf_view){object->json, object->n_json}, NULL, &tree, NULL);
        if (r == 0)
            r = define(kinds, tree);
    }
    return r;
}

int hf_cluster_kinds_take(struct hf_cluster_kinds *kinds, const char *api_version, const json_t *list)
{
    static char asked;
    const json_t *resources = json_object_get(list, "resources");
    int r = hf_strmap_put(&kinds->asked, api_version, &asked);

    for (size_t i = 0; r == 0 && i < json_array_size(resources); i++) {
        const json_t *one = json_array_get(resources, i);
        const char *plural = hf_json_str_or(one, "name", "");
        struct hf_cluster_kind kind = {.namespaced = hf_json_bool_or(one, "namespaced", false)};
        if (strchr(plural, '/') != NULL) /* a subresource, such as deployments/scale */
            continue;
        set_plural(&kind, plural);
        r = add(kinds, api_version, hf_json_str_or(one, "kind", ""), &kind);
    }
    return r;
}

const struct hf_cluster_kind *hf_cluster_kinds_find(const struct hf_cluster_kinds *kinds,
                                                    const struct hf_cluster_id *id)
{
    char key[MAX_KEY];

    return hf_strmap_get(&kinds->kinds, key_of(id->api_version, id->kind, key));
}

const char *hf_cluster_kinds_to_ask(const struct hf_cluster_kinds *kinds, const struct hf_cluster_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        if (hf_cluster_kinds_find(kinds, &set->objects[i].id) == NULL &&
            hf_strmap_get(&kinds->asked, set->objects[i].id.api_version) == NULL)
            return set->objects[i].id.api_version;
    return NULL;
}
