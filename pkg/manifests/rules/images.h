/* SPDX-License-Identifier: Apache-2.0 */
/* Collects the images that Pods, and some kinds with a template of Pods, name. Owns the names. */
#pragma once

#include "codec/json.h"

enum { HF_MANIFEST_MAX_IMAGES = 32 };

struct hf_manifest_images {
    char *names[HF_MANIFEST_MAX_IMAGES];
    size_t n;
    bool more;
    char other[200]; /* the first name that hf_syncpolicy_is_image() refuses */
};

void hf_manifest_images_done(struct hf_manifest_images *images);

/* Adds the images of an array of objects, such as Pods, Deployments, and lists of these; not those that are never
 * pulled (imagePullPolicy). */
HF_MUST_USE int hf_manifest_images_add(struct hf_manifest_images *images, const json_t *documents);
HF_MUST_USE int hf_manifest_images_join(struct hf_manifest_images *images, const struct hf_manifest_images *from);
