/* SPDX-License-Identifier: Apache-2.0 */
/* Opens an old OCI image as the old file of an image delta: its layers and configuration in archive order, as parts.
 * The delta makes the new archive (OCI layout or docker-archive, a tar) byte for byte, so its digests stay the same.
 * Blocks: workers only. */
#pragma once

#include "base/buf.h"
#include "base/fs.h"
#include "pack/deep/deep.h"

/* Lists the parts of an archive, each once, and appends their bytes. Free *ret_parts. -EBADMSG: no image archive.
 * -E2BIG: more than HF_DEEP_MAX_PARTS. */
HF_MUST_USE int hf_image_parts(const void *tar, size_t n, struct hf_deep_part **ret_parts, size_t *ret_parts_n,
                               struct hf_buf *bytes, struct hf_err *err);

struct hf_image;

/* Open the parts that a delta names, in a borrowed store (`dirfd` has blobs/sha256/) or archive. -ENOENT: a blob is
 * missing or of another size; *err has its digest. -EBADMSG: bad archive, or too large sizes.
 * hf_deep_apply() checks the hash of the whole. */
HF_MUST_USE int hf_image_open_store(const struct hf_fs_ops *fs, int dirfd, const struct hf_deep_info *info,
                                    struct hf_image **ret_image, struct hf_err *err);
HF_MUST_USE int hf_image_open_archive(const struct hf_delta_old *archive, const struct hf_deep_info *info,
                                      struct hf_image **ret_image, struct hf_err *err);
/* Valid as long as `image`. */
struct hf_delta_old hf_image_bytes(struct hf_image *image);
void hf_image_free(struct hf_image *image);
HF_DEFINE_CLEANUP(struct hf_image, hf_image_free)
