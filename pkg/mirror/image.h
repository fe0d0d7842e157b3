/* SPDX-License-Identifier: Apache-2.0 */
/* Which blobs of an image the node lacks. Blocks briefly. Threads: any. */
#pragma once

#include "mirror/request.h"
#include "oci/manifest.h"

struct hf_mirror_image {
    char registry[HF_MIRROR_REGISTRY], name[HF_MIRROR_NAME], sha256[HF_SHA256_HEX];
};

/* "registry.example:5000/team/app:1.2@sha256:..."; the tag is for people. False: another form. */
bool hf_mirror_image_parse(const char *text, struct hf_mirror_image *ret_image);

struct hf_mirror_missing {
    bool manifest;
    char sha256[HF_SHA256_HEX];
    uint64_t size; /* 0: unknown */
};

/* 1: *ret_missing is next; 0: `stores` (mirror/store.h) have all for `platform` ("linux/arm64"). `visit`: each known
 * blob of the image, without "sha256:". -ENOENT: not for the platform. -EBADMSG, -E2BIG: bad manifest. */
HF_MUST_USE int hf_mirror_image_next(char *const *stores, const struct hf_mirror_image *image, const char *platform,
                                     void (*visit)(void *arg, const char *sha256), void *arg,
                                     struct hf_mirror_missing *ret_missing);
