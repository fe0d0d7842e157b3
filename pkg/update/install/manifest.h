/* update/install/manifest.h - manifests of installed versions. A manifest records for each file of a version the mode,
 * owner and SHA-256, and also the size, inode number and ctime, by which a check finds a change without reading the
 * file.
 *
 * The agent writes a manifest after it has made a version from verified content, into <state>/updates/<release>/ under
 * the name manifest.<version>. A version is the name of a tree's folder, or the SHA-256 of a single file. A manifest
 * has one record for each folder, file and symbolic link. Its last line has the number of records, and the SHA-256 of
 * all bytes before this line. A manifest whose SHA-256 is wrong counts as missing.
 *
 * A check compares modes, owners, sizes, inode numbers and ctimes (no system call can set a ctime to a chosen value).
 * In a folder that has changed, it also compares the number of names. A file of another size is wrong; if another of
 * these values differs, the check reads the content of the file. A full check reads every file; a quick check also
 * reads some unchanged files again, so that over time it reads all of them.
 *
 * Threads: worker threads only; all functions block. Memory: a buffer of some KiB; hf_install_manifest_write() also
 * needs the names in one folder, and the digests of the extractor 64 to 128 bytes for each file of the tree. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/fs.h"
#include "codec/sha256.h"
#include "update/rules/failure.h"

/* Largest manifest, in bytes. If the manifest of a tree would be larger, the agent does not install the tree
 * (E2BIG). */
enum { HF_INSTALL_MANIFEST_MAX_BYTES = 64 << 20 };
/* Limits of one quick check: the number of records that it compares, and the average number of bytes of unchanged files
 * that it reads again (it reads each such file to its end). */
enum { HF_INSTALL_MANIFEST_LOOK_RECORDS = 4096, HF_INSTALL_MANIFEST_LOOK_BYTES = 2 << 20 };
enum { HF_INSTALL_MANIFEST_VERSION = HF_SHA256_HEX + 8 }; /* size of a version's name in bytes, with the terminator */

/* Names the manifest of one version. The strings are borrowed. */
struct hf_install_manifest {
    const struct hf_fs_ops *fs;
    const char *folder; /* <state>/updates/<release> */
    const char *version;
};

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* The SHA-256 of each file that the extractor made, by inode. Zero-initialise; free with
 * hf_install_manifest_digests_done(). */
struct hf_install_manifest_digests {
    struct hf_install_manifest_digest *p;
    size_t n, capacity;
    bool sorted;
};
/* Adds one file. `digests` is a struct hf_install_manifest_digests; the signature is that of hf_extract_params.made.
 * Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_install_manifest_digests_add(void *digests, const struct stat *st, const unsigned char *digest);
void hf_install_manifest_digests_done(struct hf_install_manifest_digests *digests);

/* The source of the digests for the manifest of a tree. */
struct hf_install_manifest_source {
    /* Digests from the extractor. The tree must then hold exactly the content that the extractor made. */
    struct hf_install_manifest_digests *digests;
    /* Used if `digests` is NULL. hf_install_manifest_write() then reads every file and calls agree(arg), which must
     * verify the content of the whole tree. The manifest becomes valid only if agree() returns 0. */
    int (*agree)(void *arg);
    void *arg;
};

/* Writes durably the manifest of the tree whose top folder is open as `top_fd`. -ESTALE: the tree has a file that the
 * extractor did not make, or a changed one. After an error, an earlier manifest of the version is still in place,
 * unless only the sync of the folder failed. */
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

/* Progress of the quick checks of one version. Zero-initialise the struct, and zero it again after another version is
 * installed. */
struct hf_install_manifest_look {
    uint64_t seal_inode; /* inode of the last manifest whose SHA-256 was checked */
    uint64_t next;       /* offset in the manifest at which the next quick check begins; 0 for the first record */
    uint64_t index;      /* number of the record at `next` */
    uint64_t scan;       /* number of the record whose content is read again next */
    /* Number of bytes of unchanged files that the quick checks may still read. Each check first adds
     * HF_INSTALL_MANIFEST_LOOK_BYTES, up to a total of the same number. If the files were written a moment ago, the
     * caller sets the credit to -HF_INSTALL_MANIFEST_LOOK_BYTES, so that the next check reads no unchanged file. */
    int64_t credit;
    unsigned mended; /* number of files and folders whose mode or owner the last check corrected */
    char what[200];  /* text that says what the last check corrected, or why it returned 0 */
};

/* Compares the tree open as `top_fd` with its manifest. If `full` is true, reads every file. Otherwise the function
 * stays within the limits HF_INSTALL_MANIFEST_LOOK_*, and the next call resumes where this call ended; do not change
 * *look between calls. If a file or folder has the right content but a wrong mode or owner, the function corrects the
 * mode or owner and counts this in look->mended. If a file or folder with the right content has another mode, owner,
 * inode number or ctime than in the manifest, the function then compares all records and writes the manifest again.
 * Returns 1 if everything that it compared is right, and 0 if not (look->what says why). -ENOENT: there is no usable
 * manifest. Another -errno means that the check could not be completed. */
HF_MUST_USE int hf_install_manifest_check(const struct hf_install_manifest *manifest, int top_fd, bool full,
                                          struct hf_install_manifest_look *look, const atomic_bool *cancel,
                                          struct hf_failure *failure);
