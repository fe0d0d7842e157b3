/* SPDX-License-Identifier: Apache-2.0 */
/* The images that an entry's newest set names, read from its content on disk, if the policy asks
 * (images.prefetchFrom.workloads). In memory only. */
#pragma once

#include "manifests/rules/images.h"
#include "manifests/state/record.h"

struct entry;

/* Zeroed: none. */
struct content_images {
    char key[HF_SHA256_HEX]; /* of the set that was read */
    struct hf_manifest_images found;
};

/* Before a set is taken up. True: a job has started. */
bool content_images_consider(struct entry *entry, const struct hf_manifest_set *set);
/* NULL: none, as of a refused or rolled back set. *ret_waits: the newest content has not been read. */
const struct hf_manifest_images *content_images_get(const struct entry *entry, bool *ret_waits);
