/* SPDX-License-Identifier: Apache-2.0 */
/* Images that Pods, and kinds with a template of Pods, name. Owns the names. */
#pragma once

#include "codec/json.h"

enum { HF_MANIFEST_MAX_IMAGES = 32 };

struct hf_manifest_images {
    char *names[HF_MANIFEST_MAX_IMAGES]; /* no name twice; all pass hf_syncpolicy_is_image() */
    size_t n;
    bool more;       /* than these */
    char other[200]; /* the first that hf_syncpolicy_is_image() refuses */
};

void hf_manifest_images_done(struct hf_manifest_images *images);

/* Adds images in an array of objects: of Pods, of Kubernetes' kinds with a template of a Pod, and of lists of these.
 * Leaves out images never pulled (imagePullPolicy). */
HF_MUST_USE int hf_manifest_images_add(struct hf_manifest_images *images, const json_t *documents);
/* Adds the images of `from`. */
HF_MUST_USE int hf_manifest_images_join(struct hf_manifest_images *images, const struct hf_manifest_images *from);
