/* SPDX-License-Identifier: Apache-2.0 */
/* Which blobs of an image the node lacks. Blocks briefly. Threads: any. */
#pragma once

#include "mirror/request.h"
#include "oci/manifest.h"

enum { HF_MIRROR_IMAGE_READ = 2 * HF_OCI_JSON_MAX };

/* `size` 0 of a manifest: unknown. */
struct hf_mirror_blob {
    bool manifest;
    char sha256[HF_SHA256_HEX];
    uint64_t size;
};

struct hf_mirror_image {
    char registry[HF_MIRROR_REGISTRY], name[HF_MIRROR_NAME], sha256[HF_SHA256_HEX];
    /* ---- own ---- */
    struct hf_mirror_blob *blobs; /* that are known; NULL: none */
    size_t blobs_n, unread;       /* the manifest among them that is read next; blobs_n: none */
    int wrong;                    /* -errno: a bad manifest, or none for this platform */
};

/* "registry.example:5000/team/app:1.2@sha256:..."; the tag is for people. False: another form. */
bool hf_mirror_image_parse(const char *text, struct hf_mirror_image *ret_image);
/* Frees what its manifests say; the next look reads them again. */
void hf_mirror_image_forget(struct hf_mirror_image *image);

/* 1: *ret_missing is next; 0: `stores` (mirror/store.h) have all for `platform` ("linux/arm64"). `visit`: each known
 * blob of the image, without "sha256:". -ENOENT: not for the platform. -EBADMSG, -E2BIG: bad manifest. -EAGAIN: the
 * next manifest exceeds *bytes: call again with more. *bytes loses what was read; HF_MIRROR_IMAGE_READ suffice for an
 * image. */
HF_MUST_USE int hf_mirror_image_next(char *const *stores, struct hf_mirror_image *image, const char *platform,
                                     size_t *bytes, void (*visit)(void *arg, const char *sha256), void *arg,
                                     struct hf_mirror_blob *ret_missing);
