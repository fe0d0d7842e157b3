/* pack/image.h - old images as what a node has of them: blobs, known by their content.
 *
 * A delta of images has the new archive (an OCI layout or a docker-archive, as a tar) as its new file, byte for byte, so manifest and
 * configuration keep their digests; its old file is put together from the old image's layers and configuration, in the order of the
 * old archive, and names them. Applying takes them from containerd's content store, or from the old archive.
 * Blocks: worker threads and command lines only. */
#pragma once

#include "base/buf.h"
#include "base/fs.h"
#include "pack/deep/deep.h"

/* The parts of an image archive in memory: their list (free it), and their bytes one behind the other. -EBADMSG: none. */
HF_MUST_USE int hf_image_parts(const void *tar, size_t n, struct hf_deep_part **ret_parts, size_t *ret_parts_n,
                               struct hf_buf *bytes, struct hf_err *err);

struct hf_image;

/* The parts a delta names, from a content store (a folder with blobs/sha256/ in it, borrowed), or from an archive (its bytes
 * borrowed). -ENOENT: one is not there, by its digest. Their hashes are the business of hf_deep_apply(). */
HF_MUST_USE int hf_image_open_store(const struct hf_fs_ops *fs, int dirfd, const struct hf_deep_info *info,
                                    struct hf_image **ret_image, struct hf_err *err);
HF_MUST_USE int hf_image_open_archive(const struct hf_delta_old *archive, const struct hf_deep_info *info,
                                      struct hf_image **ret_image, struct hf_err *err);
/* Old, put together; lives as long as the image. */
struct hf_delta_old hf_image_bytes(struct hf_image *image);
void hf_image_free(struct hf_image *image);
HF_DEFINE_CLEANUP(struct hf_image, hf_image_free)
