/* SPDX-License-Identifier: Apache-2.0 */
/* An old OCI image as a node's blobs. An image delta makes the new archive (OCI layout or docker-archive, a tar) byte
 * for byte: digests stay. Its old file is the old layers and configuration in archive order, as parts. Blocks: workers
 * only. */
#pragma once

#include "base/buf.h"
#include "base/fs.h"
#include "pack/deep/deep.h"

/* Lists each part once, appends its bytes; free *ret_parts. -EBADMSG: no image archive. -E2BIG: HF_DEEP_MAX_PARTS. */
HF_MUST_USE int hf_image_parts(const void *tar, size_t n, struct hf_deep_part **ret_parts, size_t *ret_parts_n,
                               struct hf_buf *bytes, struct hf_err *err);

struct hf_image;

/* A delta's parts, by a borrowed store (`dirfd` has blobs/sha256/) or archive. -ENOENT: a blob is missing, of another
 * size, or no regular file; *err has its digest. -EBADMSG: bad archive, too large sizes. hf_deep_apply() checks the
 * whole's hash. */
HF_MUST_USE int hf_image_open_store(const struct hf_fs_ops *fs, int dirfd, const struct hf_deep_info *info,
                                    struct hf_image **ret_image, struct hf_err *err);
HF_MUST_USE int hf_image_open_archive(const struct hf_delta_old *archive, const struct hf_deep_info *info,
                                      struct hf_image **ret_image, struct hf_err *err);
/* Parts, concatenated; valid as long as `image`. */
struct hf_delta_old hf_image_bytes(struct hf_image *image);
void hf_image_free(struct hf_image *image);
HF_DEFINE_CLEANUP(struct hf_image, hf_image_free)
