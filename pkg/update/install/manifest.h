/* SPDX-License-Identifier: Apache-2.0 */
/* update/install/manifest.h - manifests of installed versions. For each file of a version, the manifest records the
 * mode, the owner and the SHA-256. It also records the size, the inode number and the ctime, so that a check can find a
 * change without reading the file.
 *
 * The agent writes a manifest after it has made a version from verified content. The file is
 * <state>/updates/<release>/manifest.<version>; in this name, <version> is the name of a tree's folder, or the SHA-256
 * of a single file. A manifest has one record for each folder, file and symbolic link. Its last line has the number of
 * records, and the SHA-256 of all bytes before this line. A manifest whose SHA-256 is wrong counts as missing.
 *
 * A check compares modes, owners, sizes, inode numbers and ctimes (no system call can set a ctime to a chosen value).
 * In a folder that has changed, it also compares the number of names. A file whose size differs is wrong. If only other
 * values differ, the check reads the content of the file. A full check reads every file; a quick check also reads some
 * unchanged files again, so that over time it reads all of them.
 *
 * Threads: worker threads only; all functions block. Memory: each function needs a buffer of some KiB.
 * hf_install_manifest_write() also keeps the names in one folder. A struct hf_install_manifest_digests needs 64 to 128
 * bytes for each file of the tree. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/fs.h"
#include "codec/sha256.h"
#include "steps/failure.h"

/* Maximum size of a manifest in bytes. The agent does not install a tree with a larger manifest (E2BIG). */
enum { HF_INSTALL_MANIFEST_MAX_BYTES = 64 << 20 };
/* Limits of one quick check: the number of records that it compares, and the number of bytes of unchanged files that it
 * reads again. The second limit is an average, because a check reads each such file to its end. */
enum { HF_INSTALL_MANIFEST_LOOK_RECORDS = 4096, HF_INSTALL_MANIFEST_LOOK_BYTES = 2 << 20 };
enum { HF_INSTALL_MANIFEST_VERSION = HF_SHA256_HEX + 8 }; /* size of a version's name in bytes, with the terminator */

/* Names the manifest of one version. The strings are borrowed. */
struct hf_install_manifest {
    const struct hf_fs_ops *fs;
    const char *folder; /* <state>/updates/<release> */
    const char *version;
};

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* The SHA-256 of each file that the extractor (pack/tar/extract.h) made, by inode number. Zero-initialize the struct,
 * and free it with hf_install_manifest_digests_done(). */
struct hf_install_manifest_digests {
    struct hf_install_manifest_digest *p;
    size_t n, capacity;
    bool sorted;
};
/* Adds one file. `digests` is a struct hf_install_manifest_digests; it is a void pointer so that the function can serve
 * as hf_extract_params.made. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_install_manifest_digests_add(void *digests, const struct stat *st, const unsigned char *digest);
void hf_install_manifest_digests_done(struct hf_install_manifest_digests *digests);

/* The source of the digests for the manifest of a tree. */
struct hf_install_manifest_source {
    /* Digests from the extractor; may be NULL. If not NULL, the tree must hold exactly the content that the extractor
     * made. */
    struct hf_install_manifest_digests *digests;
    /* Used if `digests` is NULL. hf_install_manifest_write() then reads every file, and afterwards calls agree(arg),
     * which must verify the content of the whole tree and return 0 or -errno. After -errno, there is no new
     * manifest. */
    int (*agree)(void *arg);
    void *arg;
};

/* Writes durably the manifest of the tree whose top folder is open as `top_fd`. -ESTALE: the tree has a changed file,
 * or a file that the extractor did not make. After an error, an earlier manifest of the version is still in place.
 * There is one exception: if only the sync of the folder failed, the new manifest is in place. */
HF_MUST_USE int hf_install_manifest_write(const struct hf_install_manifest *manifest, int top_fd,
                                          const struct hf_install_manifest_source *source, const atomic_bool *cancel,
                                          struct hf_failure *failure);

/* Writes the manifest of a single file with this stat and SHA-256, durably. */
HF_MUST_USE int hf_install_manifest_write_file(const struct hf_install_manifest *manifest, const struct stat *st,
                                               const char *sha256, struct hf_failure *failure);
/* Reads the manifest of a single file. Sets type, mode, owner, size, inode and ctime of *ret_st, and all other fields
 * to 0. -ENOENT: there is no usable manifest. The only other error is -ENOMEM. */
HF_MUST_USE int hf_install_manifest_read_file(const struct hf_install_manifest *manifest, struct stat *ret_st);

/* Removes all manifests in `folder` except those of the versions in keep[n]. */
HF_MUST_USE int hf_install_manifest_clean(const struct hf_fs_ops *fs, const char *folder, const char *const *keep,
                                          size_t n, struct hf_failure *failure);

/* Removes the manifests in `folder` that a power cut or a kill left unfinished. */
HF_MUST_USE int hf_install_manifest_clean_unfinished(const struct hf_fs_ops *fs, const char *folder,
                                                     struct hf_failure *failure);

/* ---- checking ---------------------------------------------------------------------------------------------------- */

/* Progress of the quick checks of one version. Zero-initialize the struct, and zero it again after another version is
 * installed. */
struct hf_install_manifest_look {
    uint64_t seal_inode; /* inode of the last manifest whose SHA-256 was checked */
    uint64_t next;       /* offset in the manifest at which the next quick check begins; 0 for the first record */
    uint64_t index;      /* number of the record at `next` */
    uint64_t scan;       /* number of the record whose content is read again next */
    /* Number of bytes of unchanged files that the quick checks may still read. Each check first adds
     * HF_INSTALL_MANIFEST_LOOK_BYTES; the credit never exceeds this number. If the files were written a moment ago, the
     * caller sets the credit to -HF_INSTALL_MANIFEST_LOOK_BYTES, so that the next check reads no unchanged file. */
    int64_t credit;
    unsigned mended; /* number of files and folders whose mode or owner the last check corrected */
    char what[200];  /* text that describes the last check's correction, or why that check returned 0 */
};

/* Compares the tree open as `top_fd` with its manifest. If `full` is true, reads every file. Otherwise the function
 * stays within the limits HF_INSTALL_MANIFEST_LOOK_*, and the next call resumes where this call ended; do not change
 * *look between calls. If a file or folder has the right content but a wrong mode or owner, the function corrects the
 * mode or owner and counts this in look->mended. If a file or folder has the right content, but its mode, owner, inode
 * number or ctime differs from the manifest, the function afterwards compares all records and writes the manifest
 * again. Returns 1 if everything that it compared is right. Otherwise returns 0, with the difference in look->what.
 * -ENOENT: there is no usable manifest. Another -errno means that the check could not be completed. */
HF_MUST_USE int hf_install_manifest_check(const struct hf_install_manifest *manifest, int top_fd, bool full,
                                          struct hf_install_manifest_look *look, const atomic_bool *cancel,
                                          struct hf_failure *failure);
