/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of installed versions: mode, owner and SHA-256 of each file; size, inode and ctime, which show a change
 * without reading.
 *
 * They lie in <state>/updates/<release>/manifest.<version> (format: manifest.c), where <version> is a tree's folder or
 * a file's SHA-256. A full check reads every file if none differs; a quick check those that look changed, and some
 * others, so that over time all are read.
 *
 * Workers only. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/fs.h"
#include "codec/sha256.h"
#include "steps/failure.h"

/* limits of a quick check without renewal: records compared, bytes of unchanged files read (each to its end) */
enum { HF_INSTALL_MANIFEST_LOOK_RECORDS = 4096, HF_INSTALL_MANIFEST_LOOK_BYTES = 2 << 20 };
enum { HF_INSTALL_MANIFEST_VERSION = HF_SHA256_HEX + 8 };

struct hf_install_manifest {
    const struct hf_fs_ops *fs;
    const char *folder; /* <state>/updates/<release> */
    const char *version;
};

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* The digests of the files that pack/tar/extract.h made, by inode. Zero-initialize. */
struct hf_install_manifest_digests {
    struct hf_install_manifest_digest *p;
    size_t n, capacity;
    bool sorted;
};
HF_MUST_USE int hf_install_manifest_digests_add(void *digests, const struct stat *st, const unsigned char *digest);
void hf_install_manifest_digests_done(struct hf_install_manifest_digests *digests);

struct hf_install_manifest_source {
    /* from the extractor, if it made the whole tree; may be NULL */
    struct hf_install_manifest_digests *digests;
    /* Called if `digests` is NULL, after every file was read, to verify the whole tree's content; -errno: no new
     * manifest. */
    int (*agree)(void *arg);
    void *arg;
};

/* Writes the manifest of the tree `top_fd`, durably. -ESTALE: e.g. a file has changed, or is not the extractor's. After
 * an error the earlier manifest stays, unless only syncing the folder failed. */
HF_MUST_USE int hf_install_manifest_write(const struct hf_install_manifest *manifest, int top_fd,
                                          const struct hf_install_manifest_source *source, const atomic_bool *cancel,
                                          struct hf_failure *failure);

/* Writes the manifest of one file, durably. */
HF_MUST_USE int hf_install_manifest_write_file(const struct hf_install_manifest *manifest, const struct stat *st,
                                               const char *sha256, struct hf_failure *failure);
/* Sets type, mode, owner, size, inode and ctime; others are 0. -ENOENT: no usable manifest. -ENOMEM. */
HF_MUST_USE int hf_install_manifest_read_file(const struct hf_install_manifest *manifest, struct stat *ret_st);

HF_MUST_USE int hf_install_manifest_clean(const struct hf_fs_ops *fs, const char *folder, const char *const *keep,
                                          size_t n, struct hf_failure *failure);

HF_MUST_USE int hf_install_manifest_clean_unfinished(const struct hf_fs_ops *fs, const char *folder,
                                                     struct hf_failure *failure);

/* ---- checking ---------------------------------------------------------------------------------------------------- */

/* What quick checks of one version have seen so far. Zeroed at first, and after another version is installed. */
struct hf_install_manifest_look {
    uint64_t seal_inode; /* inode of the last manifest whose SHA-256 was checked */
    uint64_t next;       /* offset of the record where the next quick check begins */
    uint64_t index;
    uint64_t scan;
    /* Bytes of unchanged files that may be read. Each check first adds HF_INSTALL_MANIFEST_LOOK_BYTES, which is also
     * the maximum. */
    int64_t credit;
    unsigned mended; /* files and folders whose mode or owner the last check corrected */
    char what[200];  /* the last correction, or why the last check returned 0 */
};

enum hf_install_check {
    HF_INSTALL_CHECK_QUICK, /* within HF_INSTALL_MANIFEST_LOOK_*, from where the last check ended */
    HF_INSTALL_CHECK_FULL,
    HF_INSTALL_CHECK_LOOK, /* every file, but mends nothing: a wrong mode or owner is a difference */
};

/* Compares the tree with its manifest. 1: right; 0: look->what differs; -ENOENT: no usable manifest; other -errno: not
 * completed. Unless it only looks, corrects mode and owner of right content, except links (look->mended), then may
 * renew a manifest with outdated inodes or ctimes. */
HF_MUST_USE int hf_install_manifest_check(const struct hf_install_manifest *manifest, int top_fd,
                                          enum hf_install_check how, struct hf_install_manifest_look *look,
                                          const atomic_bool *cancel, struct hf_failure *failure);
