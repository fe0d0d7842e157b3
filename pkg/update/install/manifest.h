/* update/install/manifest.h - the record of what an installed version must look like: for each file its mode, owner and
 * SHA-256, and the identity (size, inode number, ctime) that reveals a change without reading the file.
 *
 * The agent writes a manifest after it has made a version from verified content, into <state>/updates/<release>/ under
 * the name manifest.<version>. A version is the name of a tree's folder, or the SHA-256 of a single file. The file has
 * one record for each folder, file and symbolic link, and ends with the number of records and the SHA-256 of all
 * preceding bytes. A manifest whose number of records or SHA-256 is wrong counts as missing.
 *
 * A check compares modes, owners, sizes, inode numbers and ctimes (no system call can set a ctime to a chosen value).
 * In a folder that changed, it also compares the number of names. It reads the content of a file only if one of these
 * values differs, or in a full check.
 *
 * Threads: worker threads only; all functions block. Memory: a buffer of some KiB; hf_manifest_write() also needs 64
 * bytes for each file of the tree. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/fs.h"
#include "codec/sha256.h"
#include "update/rules/failure.h"

/* Largest manifest, in bytes. If the manifest of a tree would be larger, the agent does not install the tree
 * (E2BIG). */
enum { HF_MANIFEST_MAX_BYTES = 64 << 20 };
/* Limits of one quick check: the number of records that the check compares, and the bytes of unchanged files that the
 * check reads again. */
enum { HF_MANIFEST_LOOK_RECORDS = 4096, HF_MANIFEST_LOOK_BYTES = 2 << 20 };
enum { HF_MANIFEST_VERSION = HF_SHA256_HEX + 8 }; /* size of a version's name in bytes, with the terminator */

/* Where the manifest of one version lies. The strings are borrowed. */
struct hf_manifest {
    const struct hf_fs_ops *fs;
    const char *folder; /* <state>/updates/<release> */
    const char *version;
};

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* The SHA-256 of each file that the extractor made, by inode. Zero-initialise; free with hf_manifest_digests_done(). */
struct hf_manifest_digests {
    struct hf_manifest_digest *p;
    size_t n, capacity;
    bool sorted;
};
/* Adds one file. `digests` is a struct hf_manifest_digests; the signature is that of hf_extract_params.made. Returns 0
 * or -ENOMEM. */
HF_MUST_USE int hf_manifest_digests_add(void *digests, const struct stat *st, const unsigned char *digest);
void hf_manifest_digests_done(struct hf_manifest_digests *digests);

/* Where the digests of a tree's files come from. */
struct hf_manifest_source {
    /* Digests from the extractor. The tree must then hold exactly the content that the extractor made. */
    struct hf_manifest_digests *digests;
    /* Used if `digests` is NULL. hf_manifest_write() then reads every file and calls agree(arg), which must verify the
     * content of the whole tree. The manifest becomes valid only if agree() returns 0. */
    int (*agree)(void *arg);
    void *arg;
};

/* Writes the manifest of the tree whose top folder is open as `top_fd`, durably. -ESTALE: a file is not the file that
 * the extractor made. After an error, an earlier manifest of the version stays unchanged. */
HF_MUST_USE int hf_manifest_write(const struct hf_manifest *manifest, int top_fd,
                                  const struct hf_manifest_source *source, const atomic_bool *cancel,
                                  struct hf_failure *failure);

/* Writes the manifest of a single file with this stat and SHA-256, durably. */
HF_MUST_USE int hf_manifest_write_file(const struct hf_manifest *manifest, const struct stat *st, const char *sha256,
                                       struct hf_failure *failure);
/* Reads the manifest of a single file. Sets only mode, owner, size, inode and ctime of *ret_st. -ENOENT: there is no
 * manifest, or the manifest is damaged. */
HF_MUST_USE int hf_manifest_read_file(const struct hf_manifest *manifest, struct stat *ret_st);

/* Removes all manifests in `folder` except those of the versions in keep[n]. */
HF_MUST_USE int hf_manifest_clean(const struct hf_fs_ops *fs, const char *folder, const char *const *keep, size_t n,
                                  struct hf_failure *failure);

/* Removes the manifests in `folder` that a power cut or a kill left unfinished. */
HF_MUST_USE int hf_manifest_clean_unfinished(const struct hf_fs_ops *fs, const char *folder,
                                             struct hf_failure *failure);

/* ---- checking ---------------------------------------------------------------------------------------------------- */

/* Progress of the quick checks of one version. Zero-initialise; zero it again after another version is installed. */
struct hf_manifest_look {
    uint64_t seal_inode; /* inode of the last manifest whose SHA-256 was checked */
    uint64_t next;       /* offset in the manifest at which the next quick check begins; 0 for the first record */
    uint64_t index;      /* number of the record at `next` */
    uint64_t scan;       /* number of the record whose content is read again next */
    /* Bytes of content that the quick checks may read now; each check adds HF_MANIFEST_LOOK_BYTES first. A caller whose
     * files were written a moment ago sets it to -HF_MANIFEST_LOOK_BYTES, so that its check reads no unchanged file. */
    int64_t credit;
    unsigned mended; /* number of modes and owners that the last check corrected */
    char what[200];  /* text: what the last check corrected, or why it returned 0 */
};

/* Compares the tree open as `top_fd` with its manifest. If `full` is true, reads every file. Otherwise the function
 * stays within the limits HF_MANIFEST_LOOK_*, and the next call resumes where this call ended; do not change *look
 * between calls. If a file or folder has the right content but a wrong mode or owner, the function corrects the mode or
 * owner and counts this in look->mended. Returns 1 if all that the function compared is right, 0 if not (look->what
 * says why), -ENOENT without a usable manifest, or another -errno if the check failed. */
HF_MUST_USE int hf_manifest_check(const struct hf_manifest *manifest, int top_fd, bool full,
                                  struct hf_manifest_look *look, const atomic_bool *cancel, struct hf_failure *failure);
