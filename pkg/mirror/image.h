/* SPDX-License-Identifier: Apache-2.0 */
/* An image by its digest, and which of its blobs the node lacks. Blocks briefly. Threads: any. */
#pragma once

#include "mirror/request.h"
#include "oci/manifest.h"

struct hf_mirror_image {
    char registry[HF_MIRROR_REGISTRY], name[HF_MIRROR_NAME], sha256[HF_SHA256_HEX];
};

/* "registry.example:5000/team/app:1.2@sha256:..."; the tag is for people. False: not of that form. */
bool hf_mirror_image_parse(const char *text, struct hf_mirror_image *ret_image);

struct hf_mirror_missing {
    bool manifest;
    char sha256[HF_SHA256_HEX];
    uint64_t size; /* 0: unknown */
};

/* 1: *ret_missing comes next; 0: all of it for `platform` ("linux/arm64") is in `stores` (mirror/store.h). `visit` gets
 * each blob that is known to be of the image, as a digest without "sha256:". -ENOENT: the index has no image for the
 * platform. -EBADMSG, -E2BIG: its manifest is none. */
HF_MUST_USE int hf_mirror_image_next(char *const *stores, const struct hf_mirror_image *image, const char *platform,
                                     void (*visit)(void *arg, const char *sha256), void *arg,
                                     struct hf_mirror_missing *ret_missing);
