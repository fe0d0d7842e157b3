/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a source delivers for one entry of spec.manifests, in memory and on disk.
 *
 * Make one with hf_bundle_new(), hf_bundle_add() or hf_bundle_make_room() for each file, and hf_bundle_seal(). The same
 * paths, contents and modes give the same digest, whatever the source.
 *
 * Memory: a bundle owns its paths and contents. Threads: one at a time for one bundle. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/view.h"
#include "codec/sha256.h"

struct hf_source_turn; /* manifests/source/turns.h */

enum {
    HF_BUNDLE_MAX_FILES = 4096,
    HF_BUNDLE_MAX_FOLDERS = 4096,   /* different folders in which the files are */
    HF_BUNDLE_MAX_BYTES = 16 << 20, /* of all contents */
    HF_BUNDLE_MAX_FILE = 4 << 20,   /* of one content */
    HF_BUNDLE_MAX_PATH = 1024,      /* with its final zero */
    HF_BUNDLE_MAX_DEPTH = 32,       /* components of a path */
    /* the mode of a file whose source has none, such as a key of a ConfigMap */
    HF_BUNDLE_NO_MODE = 0,
};

struct hf_bundle_file {
    /* Relative, normal, valid UTF-8 without control characters; no component is "." or ".." or has more than 255
     * bytes. */
    const char *path;
    uint32_t mode; /* permission bits within 0777; HF_BUNDLE_NO_MODE if the source has no modes */
    struct hf_view bytes;
    /* private: bytes of the block at `path` that also has the content, in a secret bundle; otherwise 0 */
    size_t room;
};

struct hf_bundle {
    struct hf_bundle_file *files; /* sorted by path in byte order, after hf_bundle_seal() */
    size_t n;
    size_t bytes; /* of all contents */
    /* SHA-256 in hex, set by hf_bundle_seal(), of one line for each file: "<octal mode> <SHA-256 of the content>
     * <path>\n" */
    char digest[HF_SHA256_HEX];
    /* A secret bundle's SHA-256 of uid and resourceVersion. The engine uses it for `digest`, because a digest of the
     * contents would let its reader guess short ones. */
    char id[HF_SHA256_HEX];
    bool secret; /* in memory only, overwritten when freed; set it before the first file */
    /* the right to be in memory; owned; NULL: needs none. With it only the loop thread may free the bundle */
    struct hf_source_turn *turn;
    size_t cap;  /* private */
    bool sealed; /* private */
};

struct hf_bundle *hf_bundle_new(void);
void hf_bundle_free(struct hf_bundle *bundle);
HF_DEFINE_CLEANUP(struct hf_bundle, hf_bundle_free)

/* Adds a copy of a file; of `mode` the permission bits. -EBADMSG: hf_bundle_check_path().
 * -E2BIG: too many files or bytes. */
HF_MUST_USE int hf_bundle_add(struct hf_bundle *bundle, const char *path, uint32_t mode, struct hf_view bytes,
                              struct hf_err *err);
/* The same for a file of n bytes, which the caller writes to *ret_bytes before hf_bundle_seal(). */
HF_MUST_USE int hf_bundle_make_room(struct hf_bundle *bundle, const char *path, uint32_t mode, size_t n,
                                    char **ret_bytes, struct hf_err *err);
/* Copies a sealed bundle. */
HF_MUST_USE int hf_bundle_copy(const struct hf_bundle *from, struct hf_bundle **ret_bundle, struct hf_err *err);
/* Drops all files that are not below `folder`, which leaves the paths of the others. If it is a file: keeps that alone,
 * under its last component. Before hf_bundle_seal(). */
void hf_bundle_narrow(struct hf_bundle *bundle, const char *folder);
/* Sorts the files and computes the digest; no file may be added after that. -EBADMSG: a path comes twice, or is also a
 * folder. -E2BIG: more than HF_BUNDLE_MAX_FOLDERS folders. An empty bundle is valid. */
HF_MUST_USE int hf_bundle_seal(struct hf_bundle *bundle, struct hf_err *err);

/* -EBADMSG: a path breaks a rule of struct hf_bundle_file; *err says which. */
HF_MUST_USE int hf_bundle_check_path(const char *path, struct hf_err *err);

/* How many folders `path` is in that `before` is not in. Over a list in byte order, each path with the one before it
 * ("" for the first), the sum is the number of different folders. */
size_t hf_bundle_new_folders(const char *before, const char *path);

/* The file with this path in a sealed bundle; NULL: none. */
const struct hf_bundle_file *hf_bundle_find(const struct hf_bundle *bundle, const char *path);

/* Writes a sealed bundle durably to a file of mode 0600, compressed and sealed (codec/seal.h). Blocks. -EPERM: it is
 * secret. -EINVAL: it is not sealed. Others come from the file system. */
HF_MUST_USE int hf_bundle_save(const struct hf_fs_ops *fs, const char *path, const struct hf_bundle *bundle,
                               struct hf_err *err);
/* Reads such a file. Blocks. -ENOENT. -EBADMSG: damaged, or another version of the format: the source has to deliver it
 * again. Others come from the file system. */
HF_MUST_USE int hf_bundle_load(const struct hf_fs_ops *fs, const char *path, struct hf_bundle **ret_bundle,
                               struct hf_err *err);
