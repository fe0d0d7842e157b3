/* SPDX-License-Identifier: Apache-2.0 */
/* The images that pods, and what makes pods, name. Owns the names. */
#pragma once

#include "codec/json.h"

enum { HF_MANIFEST_MAX_IMAGES = 32 };

struct hf_manifest_images {
    char *names[HF_MANIFEST_MAX_IMAGES]; /* different; hf_syncpolicy_is_image() */
    size_t n;
    bool more;       /* than these */
    char other[200]; /* the first without registry or digest */
};

void hf_manifest_images_done(struct hf_manifest_images *images);

/* `documents`: an array of objects. Of Pods and the kinds of Kubernetes that have a template of one, also in lists;
 * none that is never pulled (imagePullPolicy). */
HF_MUST_USE int hf_manifest_images_add(struct hf_manifest_images *images, const json_t *documents);
/* Those that `from` has. */
HF_MUST_USE int hf_manifest_images_join(struct hf_manifest_images *images, const struct hf_manifest_images *from);
