/* SPDX-License-Identifier: Apache-2.0 */
/* The images that an entry's newest set names, read from its content on disk, if the policy asks
 * (images.prefetchFrom.workloads). In memory: after a start, they are read again. */
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
/* NULL: none, as of a set that is refused or was rolled back. *ret_waits: no content has been read yet. */
const struct hf_manifest_images *content_images_get(const struct entry *entry, bool *ret_waits);
