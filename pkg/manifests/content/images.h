/* SPDX-License-Identifier: Apache-2.0 */
/* The container images that an entry's newest set names, read from its content on disk if the policy asks
 * (images.prefetchFrom.workloads). */
#pragma once

#include "manifests/rules/images.h"
#include "manifests/state/record.h"

struct entry;

struct content_images {
    char key[HF_SHA256_HEX];
    struct hf_manifest_images found;
};

/* Starts to read a set's images before the entry takes it up. Returns whether a job has started. */
bool content_images_consider(struct entry *entry, const struct hf_manifest_set *set);
/* Returns the images; NULL if no image matters, as after a rollback. *ret_waits: a read is still to come. */
const struct hf_manifest_images *content_images_get(const struct entry *entry, bool *ret_waits);
