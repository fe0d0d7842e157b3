/* SPDX-License-Identifier: Apache-2.0 */
/* update/install/manifest.h - manifests of installed versions: mode, owner and SHA-256 of each file, and size, inode
 * number and ctime, which show a change without reading it (no system call can set a ctime to a chosen value).
 *
 * The file is <state>/updates/<release>/manifest.<version> (manifest_record.h has the format); <version> is the name of
 * a tree's folder, or the SHA-256 of a single file. A manifest that does not match the SHA-256 in its last line is
 * treated as missing. A full check reads every file; a quick check reads those that look changed and some others, over
 * time all.
 *
 * Worker threads only; all functions block. Memory: some KiB a call; hf_install_manifest_write() also keeps the names
 * in one folder, and hf_install_manifest_digests 64 to 128 bytes a file. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/fs.h"
#include "codec/sha256.h"
#include "steps/failure.h"

/* A tree with a larger manifest is not installed (E2BIG). */
enum { HF_INSTALL_MANIFEST_MAX_BYTES = 64 << 20 };
/* One quick check: records that it compares, and bytes of unchanged files that it reads (on average, because it reads
 * each such file to its end). */
enum { HF_INSTALL_MANIFEST_LOOK_RECORDS = 4096, HF_INSTALL_MANIFEST_LOOK_BYTES = 2 << 20 };
enum { HF_INSTALL_MANIFEST_VERSION = HF_SHA256_HEX + 8 }; /* bytes of a version's name, with the terminator */

/* Borrowed strings. */
struct hf_install_manifest {
    const struct hf_fs_ops *fs;
    const char *folder; /* <state>/updates/<release> */
    const char *version;
};

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* The SHA-256 of each file that the extractor (pack/tar/extract.h) made, by inode number. Zero-initialize. */
struct hf_install_manifest_digests {
    struct hf_install_manifest_digest *p;
    size_t n, capacity;
    bool sorted;
};
/* `digests` is a struct hf_install_manifest_digests; the function serves as hf_extract_params.made. */
HF_MUST_USE int hf_install_manifest_digests_add(void *digests, const struct stat *st, const unsigned char *digest);
void hf_install_manifest_digests_done(struct hf_install_manifest_digests *digests);

/* Where the digests of a tree come from. */
struct hf_install_manifest_source {
    /* From the extractor: the tree must hold exactly what it made. May be NULL. */
    struct hf_install_manifest_digests *digests;
    /* If `digests` is NULL: every file is read, then agree(arg) must verify the content of the whole tree. After its
     * -errno there is no new manifest. */
    int (*agree)(void *arg);
    void *arg;
};

/* Writes durably the manifest of the tree open as `top_fd`. -ESTALE: a file has changed, or the extractor did not make
 * it. After an error an earlier manifest of the version stays, unless only the sync of the folder failed. */
HF_MUST_USE int hf_install_manifest_write(const struct hf_install_manifest *manifest, int top_fd,
                                          const struct hf_install_manifest_source *source, const atomic_bool *cancel,
                                          struct hf_failure *failure);

/* Durable. */
HF_MUST_USE int hf_install_manifest_write_file(const struct hf_install_manifest *manifest, const struct stat *st,
                                               const char *sha256, struct hf_failure *failure);
/* Sets type, mode, owner, size, inode and ctime of *ret_st, the rest to 0. -ENOENT: no usable manifest. No other error
 * but -ENOMEM. */
HF_MUST_USE int hf_install_manifest_read_file(const struct hf_install_manifest *manifest, struct stat *ret_st);

/* Removes all manifests in `folder` but those of keep[n]. */
HF_MUST_USE int hf_install_manifest_clean(const struct hf_fs_ops *fs, const char *folder, const char *const *keep,
                                          size_t n, struct hf_failure *failure);

/* Removes what a power cut or kill left unfinished. */
HF_MUST_USE int hf_install_manifest_clean_unfinished(const struct hf_fs_ops *fs, const char *folder,
                                                     struct hf_failure *failure);

/* ---- checking ---------------------------------------------------------------------------------------------------- */

/* Progress of the quick checks of one version. Zero it at first, and after another version is installed. */
struct hf_install_manifest_look {
    uint64_t seal_inode; /* of the last manifest whose SHA-256 was checked */
    uint64_t next;       /* offset of the record at which the next quick check begins; 0: the first */
    uint64_t index;      /* number of that record */
    uint64_t scan;       /* number of the record whose content is read next */
    /* Bytes of unchanged files that quick checks may read. Each check adds HF_INSTALL_MANIFEST_LOOK_BYTES, which is
     * also the maximum; set to the negative of it, the next check reads no unchanged file, because all were just
     * written. */
    int64_t credit;
    unsigned mended; /* files and folders whose mode or owner the last check corrected */
    char what[200];  /* what the last check corrected, or why it returned 0 */
};

enum hf_install_check {
    HF_INSTALL_CHECK_QUICK, /* within HF_INSTALL_MANIFEST_LOOK_*, from where the last call ended */
    HF_INSTALL_CHECK_FULL,  /* every file */
    HF_INSTALL_CHECK_LOOK,  /* every file, and nothing is changed: a wrong mode or owner is a difference */
};

/* Compares the tree open as `top_fd` with its manifest. Corrects mode and owner where the content is right
 * (look->mended). Where only attributes differ from the manifest, it then compares all records and writes the manifest
 * again. Returns 1 if all is right, 0 with the difference in look->what. -ENOENT: no usable manifest. Other -errno: the
 * check could not be completed. */
HF_MUST_USE int hf_install_manifest_check(const struct hf_install_manifest *manifest, int top_fd,
                                          enum hf_install_check how, struct hf_install_manifest_look *look,
                                          const atomic_bool *cancel, struct hf_failure *failure);
