/* update/install/manifest.h - the record of what an installed version must look like: of each file its mode, owner and
 * SHA-256, and the identity by which a change shows without reading the file.
 *
 * The agent writes a manifest when it has made a version from verified content, into <state>/updates/<release>/ under
 * the name manifest.<version>. A version is the name of a tree's folder, or the SHA-256 of a single file. The file has
 * one record for each folder, file and symbolic link, and ends with the number of records and the SHA-256 of all bytes
 * before. A manifest with a wrong end counts as missing.
 *
 * A check compares modes, owners, sizes, inode numbers and ctimes (no system call can set a ctime), and the number of
 * names in each folder that changed. It reads a file only if one of these differs, or if a full check is wanted.
 *
 * Threads: worker threads only; all functions block. Memory: a buffer of some KiB; hf_manifest_write() also needs 64
 * bytes for each file of the tree. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/fs.h"
#include "codec/sha256.h"
#include "update/rules/failure.h"

/* Largest manifest, in bytes. A tree with more and longer names than that fits is not installed (E2BIG). */
enum { HF_MANIFEST_MAX_BYTES = 64 << 20 };
/* Work of one quick check, at most: records compared; bytes of unchanged files read again. */
enum { HF_MANIFEST_LOOK_RECORDS = 4096, HF_MANIFEST_LOOK_BYTES = 2 << 20 };
enum { HF_MANIFEST_VERSION = HF_SHA256_HEX + 8 }; /* bytes of a version's name, with the final zero */

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
    /* from the extractor: the tree must hold exactly the content that the extractor made */
    struct hf_manifest_digests *digests;
    /* without digests (NULL), the function reads every file, and then calls agree(arg), which must verify the content
     * of the whole tree; the manifest becomes valid only if agree() returns 0 */
    int (*agree)(void *arg);
    void *arg;
};

/* Writes the manifest of the tree whose top folder is open as `top_fd`, durably. -ESTALE: a file is not the one that
 * the extractor made. After an error the manifest of before, if any, is still there. */
HF_MUST_USE int hf_manifest_write(const struct hf_manifest *manifest, int top_fd,
                                  const struct hf_manifest_source *source, const atomic_bool *cancel,
                                  struct hf_failure *failure);

/* Writes the manifest of a single file with this stat and SHA-256, durably. */
HF_MUST_USE int hf_manifest_write_file(const struct hf_manifest *manifest, const struct stat *st, const char *sha256,
                                       struct hf_failure *failure);
/* Reads the manifest of a single file. Only mode, owner, size, inode and ctime of *ret_st are set. -ENOENT: there is
 * none, or it is damaged. */
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
    uint64_t seal_inode; /* of the manifest whose end was checked */
    uint64_t next;       /* offset in the manifest at which the next look begins; 0 for the first record */
    uint64_t index;      /* number of the record at `next` */
    uint64_t scan;       /* number of the record whose content is read again next */
    int64_t credit;      /* bytes that the looks so far may still read */
    unsigned mended;     /* modes and owners set right by the last check */
    char what[200];      /* what the last check mended, or why it returned 0 */
};

/* Compares the tree open as `top_fd` with its manifest. `full`: reads every file. Otherwise the function stays within
 * the bounds above, and the next call resumes where this one ended; read *look between calls, not write it. Sets wrong
 * modes and owners of files and folders with the right content, and counts them in look->mended.
 * Returns 1 if the tree is right as far as the function looked, 0 if not (look->what says why), -ENOENT without a
 * usable manifest, or another -errno if the check failed. */
HF_MUST_USE int hf_manifest_check(const struct hf_manifest *manifest, int top_fd, bool full,
                                  struct hf_manifest_look *look, const atomic_bool *cancel, struct hf_failure *failure);
