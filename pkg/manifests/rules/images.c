/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/rules/images.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/syncpolicy.h"
#include "base/encoding/utf8.h"

enum { MAX_NAME = 500 }; /* as in spec.images.prefetch */

void hf_manifest_images_done(struct hf_manifest_images *images)
{
    for (size_t i = 0; i < images->n; i++)
        free(images->names[i]);
    *images = (struct hf_manifest_images){.n = 0};
}

static int add_name(struct hf_manifest_images *images, const char *name)
{
    for (size_t i = 0; i < images->n; i++)
        if (strcmp(images->names[i], name) == 0)
            return 0;
    if (images->n == HF_MANIFEST_MAX_IMAGES) {
        images->more = true;
        return 0;
    }
    images->names[images->n] = strdup(name);
    if (images->names[images->n] == NULL)
        return -ENOMEM;
    images->n++;
    return 0;
}

static int add_image(struct hf_manifest_images *images, const json_t *of, const char *key, const char *policy)
{
    const char *image = json_string_value(json_object_get(of, key));

    if (image == NULL || *image == '\0' || strcmp(hf_json_str_or(of, policy, ""), "Never") == 0)
        return 0;
    if (strlen(image) <= MAX_NAME && hf_syncpolicy_is_image(image))
        return add_name(images, image);
    if (images->other[0] == '\0') {
        (void)snprintf(images->other, sizeof(images->other), "%s", image);
        hf_utf8_trim(images->other);
    }
    return 0;
}

static int add_containers(struct hf_manifest_images *images, const json_t *spec, const char *key)
{
    const json_t *all = json_object_get(spec, key);
    int r = 0;

    for (size_t i = 0; r == 0 && i < json_array_size(all); i++)
        r = add_image(images, json_array_get(all, i), "image", "imagePullPolicy");
    return r;
}

static int add_pod(struct hf_manifest_images *images, const json_t *spec)
{
    static const char *const keys[] = {"initContainers", "containers", "ephemeralContainers"};
    const json_t *volumes = json_object_get(spec, "volumes");
    int r = 0;

    for (size_t i = 0; r == 0 && i < HF_LEN(keys); i++)
        r = add_containers(images, spec, keys[i]);
    for (size_t i = 0; r == 0 && i < json_array_size(volumes); i++)
        r = add_image(images, json_object_get(json_array_get(volumes, i), "image"), "reference", "pullPolicy");
    return r;
}

static int add_object(struct hf_manifest_images *images, const json_t *object)
{
    static const struct {
        const char *group, *kind, *spec;
    } rows[] = {
        {"v1", "Pod", "spec"},
        {"v1", "PodTemplate", "template.spec"},
        {"v1", "ReplicationController", "spec.template.spec"},
        {"apps/", "DaemonSet", "spec.template.spec"},
        {"apps/", "Deployment", "spec.template.spec"},
        {"apps/", "ReplicaSet", "spec.template.spec"},
        {"apps/", "StatefulSet", "spec.template.spec"},
        {"batch/", "CronJob", "spec.jobTemplate.spec.template.spec"},
        {"batch/", "Job", "spec.template.spec"},
    };
    const char *version = hf_json_str_or(object, "apiVersion", ""), *kind = hf_json_str_or(object, "kind", "");

    for (size_t i = 0; i < HF_LEN(rows); i++)
        if (strcmp(rows[i].kind, kind) == 0 && strncmp(rows[i].group, version, strlen(rows[i].group)) == 0)
            return add_pod(images, hf_json_at(object, rows[i].spec));
    return 0;
}

static bool is_list(const json_t *object)
{
    const char *kind = hf_json_str_or(object, "kind", "");
    size_t n = strlen(kind);

    return n >= 4 && strcmp(kind + n - 4, "List") == 0;
}

int hf_manifest_images_add(struct hf_manifest_images *images, const json_t *documents)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < json_array_size(documents); i++) {
        const json_t *object = json_array_get(documents, i);
        const json_t *items = is_list(object) ? json_object_get(object, "items") : NULL;
        r = add_object(images, object);
        for (size_t k = 0; r == 0 && k < json_array_size(items); k++)
            r = add_object(images, json_array_get(items, k));
    }
    return r;
}

int hf_manifest_images_join(struct hf_manifest_images *images, const struct hf_manifest_images *from)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < from->n; i++)
        r = add_name(images, from->names[i]);
    images->more = images->more || from->more;
    if (images->other[0] == '\0')
        memcpy(images->other, from->other, sizeof(images->other));
    return r;
}
