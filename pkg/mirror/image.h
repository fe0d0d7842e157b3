/* SPDX-License-Identifier: Apache-2.0 */
/* Finds which blobs of an image the node lacks. Blocks briefly. Threads: any. */
#pragma once

#include "mirror/request.h"
#include "oci/manifest.h"

enum { HF_MIRROR_IMAGE_READ = 2 * HF_OCI_JSON_MAX };

/* `size` is 0 for a manifest of unknown size. */
struct hf_mirror_blob {
    bool manifest;
    char sha256[HF_SHA256_HEX];
    uint64_t size;
};

struct hf_mirror_image {
    char registry[HF_MIRROR_REGISTRY], name[HF_MIRROR_NAME], sha256[HF_SHA256_HEX];
    /* private to image.c from here on */
    struct hf_mirror_blob *blobs;
    size_t blobs_n, unread;
    int wrong;
};

/* Parses "registry.example:5000/team/app:1.2@sha256:..."; ignores a tag. Returns false for any other form. */
bool hf_mirror_image_parse(const char *text, struct hf_mirror_image *ret_image);
/* Forgets what the manifests contain. */
void hf_mirror_image_forget(struct hf_mirror_image *image);

/* Finds the next blob to fetch for `platform` ("linux/arm64"). 1: *ret_missing is that blob. 0: `stores`
 * (mirror/store.h) have all blobs. Calls `visit` for each known blob, with its digest without "sha256:". -ENOENT: the
 * image is not for the platform. -EBADMSG, -E2BIG: bad manifest. -EAGAIN: the next manifest is larger than *bytes: call
 * again with more. *bytes shrinks by what was read; HF_MIRROR_IMAGE_READ suffices for an image. */
HF_MUST_USE int hf_mirror_image_next(char *const *stores, struct hf_mirror_image *image, const char *platform,
                                     size_t *bytes, void (*visit)(void *arg, const char *sha256), void *arg,
                                     struct hf_mirror_blob *ret_missing);
