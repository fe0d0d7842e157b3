/* SPDX-License-Identifier: Apache-2.0 */
/* pack/image.h - reads an old OCI image as a node stores it, in blobs that are named by their hashes.
 *
 * An image delta makes the new image archive (an OCI layout or a docker-archive, as a tar) byte for byte, so manifest
 * and configuration keep their digests. The old file of an image delta is the concatenation of the old image's layers
 * and configuration, in the order of the old archive. The delta lists these layers and the configuration as parts.
 * Applying takes the parts from containerd's content store or from the old archive.
 *
 * The functions block: call them only on worker threads or in command-line programs. */
#pragma once

#include "base/buf.h"
#include "base/fs.h"
#include "pack/deep/deep.h"

/* Lists the parts of the image archive tar[0..n), each part once, and appends their bytes to `bytes`. The caller frees
 * *ret_parts. -EBADMSG: not an image archive. -E2BIG: more than HF_DEEP_MAX_PARTS parts. */
HF_MUST_USE int hf_image_parts(const void *tar, size_t n, struct hf_deep_part **ret_parts, size_t *ret_parts_n,
                               struct hf_buf *bytes, struct hf_err *err);

struct hf_image;

/* Open the parts that a delta lists. _store takes the parts from a content store; `dirfd` is a folder that contains
 * blobs/sha256/. _archive takes the parts from an image archive. Both functions borrow the store or archive. -ENOENT: a
 * blob is missing, has the wrong size or is not a regular file; *err names the digest of the blob. -EBADMSG: the
 * archive is invalid, or the sizes of the parts are too large. hf_deep_apply() checks the hash of the concatenation. */
HF_MUST_USE int hf_image_open_store(const struct hf_fs_ops *fs, int dirfd, const struct hf_deep_info *info,
                                    struct hf_image **ret_image, struct hf_err *err);
HF_MUST_USE int hf_image_open_archive(const struct hf_delta_old *archive, const struct hf_deep_info *info,
                                      struct hf_image **ret_image, struct hf_err *err);
/* Returns a reader of the concatenated parts, valid as long as `image`. */
struct hf_delta_old hf_image_bytes(struct hf_image *image);
void hf_image_free(struct hf_image *image);
HF_DEFINE_CLEANUP(struct hf_image, hf_image_free)
