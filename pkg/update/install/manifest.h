/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of installed versions: mode, owner and SHA-256 of each file; size, inode and ctime, which show a change
 * without reading (no system call can choose a ctime).
 *
 * In <state>/updates/<release>/manifest.<version> (format: manifest.c); <version>: a tree's folder or a file's
 * SHA-256. A full check reads every file; a quick one those that look changed and some others, over time all.
 *
 * Workers only; blocks. Memory: some KiB; hf_install_manifest_write() also the names of one folder; digests 64 to 128
 * bytes a file. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/fs.h"
#include "codec/sha256.h"
#include "steps/failure.h"

/* Of a quick check: records compared; bytes of unchanged files read (on average: each to its end). */
enum { HF_INSTALL_MANIFEST_LOOK_RECORDS = 4096, HF_INSTALL_MANIFEST_LOOK_BYTES = 2 << 20 };
enum { HF_INSTALL_MANIFEST_VERSION = HF_SHA256_HEX + 8 }; /* with the terminator */

/* Borrowed. */
struct hf_install_manifest {
    const struct hf_fs_ops *fs;
    const char *folder; /* <state>/updates/<release> */
    const char *version;
};

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* SHA-256 of each file that pack/tar/extract.h made, by inode. Zero-initialize. */
struct hf_install_manifest_digests {
    struct hf_install_manifest_digest *p;
    size_t n, capacity;
    bool sorted;
};
/* For hf_extract_params.made; `digests`: struct hf_install_manifest_digests. */
HF_MUST_USE int hf_install_manifest_digests_add(void *digests, const struct stat *st, const unsigned char *digest);
void hf_install_manifest_digests_done(struct hf_install_manifest_digests *digests);

struct hf_install_manifest_source {
    /* the tree holds exactly what the extractor made; may be NULL */
    struct hf_install_manifest_digests *digests;
    /* Without `digests`: reads every file, then agree(arg) verifies the whole tree's content; -errno: no new
     * manifest. */
    int (*agree)(void *arg);
    void *arg;
};

/* Writes the manifest of the tree `top_fd`, durably. -ESTALE: a file has changed, or is not the extractor's. After an
 * error the earlier manifest stays, unless only the folder's sync failed. */
HF_MUST_USE int hf_install_manifest_write(const struct hf_install_manifest *manifest, int top_fd,
                                          const struct hf_install_manifest_source *source, const atomic_bool *cancel,
                                          struct hf_failure *failure);

/* Durable. */
HF_MUST_USE int hf_install_manifest_write_file(const struct hf_install_manifest *manifest, const struct stat *st,
                                               const char *sha256, struct hf_failure *failure);
/* Sets type, mode, owner, size, inode and ctime; others are 0. -ENOENT: no usable manifest. -ENOMEM. */
HF_MUST_USE int hf_install_manifest_read_file(const struct hf_install_manifest *manifest, struct stat *ret_st);

/* Removes all manifests except keep[n]. */
HF_MUST_USE int hf_install_manifest_clean(const struct hf_fs_ops *fs, const char *folder, const char *const *keep,
                                          size_t n, struct hf_failure *failure);

/* Removes what a power cut or kill left. */
HF_MUST_USE int hf_install_manifest_clean_unfinished(const struct hf_fs_ops *fs, const char *folder,
                                                     struct hf_failure *failure);

/* ---- checking ---------------------------------------------------------------------------------------------------- */

/* Of one version, between quick checks. Zeroed at first, and after another version is installed. */
struct hf_install_manifest_look {
    uint64_t seal_inode; /* of the last manifest with checked SHA-256 */
    uint64_t next;       /* offset of the record where the next check begins */
    uint64_t index;      /* its number */
    uint64_t scan;       /* number of the record whose content is read next */
    /* Bytes of unchanged files that may be read; each check adds HF_INSTALL_MANIFEST_LOOK_BYTES, the maximum. Set to
     * minus that, the next check reads none. */
    int64_t credit;
    unsigned mended; /* files and folders whose mode or owner was set */
    char what[200];  /* last corrections, or why the last check returned 0 */
};

enum hf_install_check {
    HF_INSTALL_CHECK_QUICK, /* within HF_INSTALL_MANIFEST_LOOK_*, from the last end */
    HF_INSTALL_CHECK_FULL,  /* every file */
    HF_INSTALL_CHECK_LOOK,  /* every file; changes nothing: wrong mode or owner is a difference */
};

/* Compares the tree. Mends mode and owner of files whose content is right (look->mended); if only attributes differ
 * from the manifest, compares all records and writes the manifest again. 1: right; 0: look->what differs. -ENOENT: no
 * usable manifest. Other -errno: not completed. */
HF_MUST_USE int hf_install_manifest_check(const struct hf_install_manifest *manifest, int top_fd,
                                          enum hf_install_check how, struct hf_install_manifest_look *look,
                                          const atomic_bool *cancel, struct hf_failure *failure);
