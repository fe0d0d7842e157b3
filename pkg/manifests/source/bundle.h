/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/source/bundle.h - the files that a source delivers for one entry of spec.manifests, in memory and on disk.
 *
 * A bundle is made in three steps: hf_bundle_new(), then one call of hf_bundle_add() or hf_bundle_make_room() for each
 * file, then hf_bundle_seal(), which sorts and checks the files and computes the digest. Callers do not add files to a
 * sealed bundle. Bundles with the same paths, contents and modes have the same digest, even if they come from different
 * sources.
 *
 * Memory: a bundle owns its paths and contents. A file on disk (hf_bundle_save()) is compressed and sealed
 * (codec/seal.h). The content of a Secret stays in memory (os/secret/secret_memory.h): hf_bundle_save() refuses a
 * secret bundle, and hf_bundle_free() overwrites its contents. Threads: any, but only one at a time for one bundle.
 * hf_bundle_save() and hf_bundle_load() block. */
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
    HF_BUNDLE_MAX_FOLDERS = 4096,   /* maximum number of different folders in which the files of a bundle are */
    HF_BUNDLE_MAX_BYTES = 16 << 20, /* maximum size of all contents of a bundle together, in bytes */
    HF_BUNDLE_MAX_FILE = 4 << 20,   /* maximum size of the content of one file, in bytes */
    HF_BUNDLE_MAX_PATH = 1024,      /* maximum size of a path in bytes, with its final zero */
    HF_BUNDLE_MAX_DEPTH = 32,       /* maximum number of components of a path */
    /* the mode of a file whose source has none, such as a key of a ConfigMap */
    HF_BUNDLE_NO_MODE = 0,
};

struct hf_bundle_file {
    /* A relative path in valid UTF-8 without control characters, of at most HF_BUNDLE_MAX_PATH - 1 bytes and
     * HF_BUNDLE_MAX_DEPTH components. Single slashes separate its components. No component is "." or ".." or has more
     * than 255 bytes. */
    const char *path;
    uint32_t mode; /* permission bits within 0777; HF_BUNDLE_NO_MODE if the source has no modes */
    struct hf_view bytes;
    /* private: in a secret bundle, size in bytes of the memory block that begins at `path` and also holds the content;
     * otherwise 0 */
    size_t room;
};

struct hf_bundle {
    struct hf_bundle_file *files; /* sorted by path in byte order, after hf_bundle_seal() */
    size_t n;                     /* number of files */
    size_t bytes;                 /* size of all contents together, in bytes */
    /* SHA-256 in lower-case hex, set by hf_bundle_seal(). The hash covers one line for each file, in the order of
     * `files`: "<mode in octal> <SHA-256 of the content in lower-case hex> <path>\n" */
    char digest[HF_SHA256_HEX];
    /* In a secret bundle: SHA-256 of the uid and the resourceVersion of the Secret. The engine copies this id to
     * `digest`, because a digest of the contents would let its reader guess short contents. */
    char id[HF_SHA256_HEX];
    bool secret; /* the contents stay in memory only; set this before the first file is added */
    /* the right to be in memory; NULL if the bundle needs none; owned. With it, only the loop thread may free the
     * bundle */
    struct hf_source_turn *turn;
    size_t cap;  /* private */
    bool sealed; /* private */
};

/* Makes an empty bundle. Returns NULL if memory runs out. */
struct hf_bundle *hf_bundle_new(void);
/* Frees a bundle. Overwrites the contents of a secret bundle first. Accepts NULL. */
void hf_bundle_free(struct hf_bundle *bundle);
HF_DEFINE_CLEANUP(struct hf_bundle, hf_bundle_free)

/* Adds a copy of a file. `mode` may have more bits than permissions; the function drops them. -EBADMSG: the path breaks
 * a rule of struct hf_bundle_file. -E2BIG: the bundle has HF_BUNDLE_MAX_FILES files already, or a limit on bytes would
 * be exceeded. -ENOMEM: out of memory. */
HF_MUST_USE int hf_bundle_add(struct hf_bundle *bundle, const char *path, uint32_t mode, struct hf_view bytes,
                              struct hf_err *err);
/* Adds a file of n bytes like hf_bundle_add(), and sets *ret_bytes to the memory for its content. The caller must fill
 * this memory before it calls hf_bundle_seal(). */
HF_MUST_USE int hf_bundle_make_room(struct hf_bundle *bundle, const char *path, uint32_t mode, size_t n,
                                    char **ret_bytes, struct hf_err *err);
/* Makes a copy of a sealed bundle. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_bundle_copy(const struct hf_bundle *from, struct hf_bundle **ret_bundle, struct hf_err *err);
/* Drops all files that are not below the path `folder`, and removes `folder` from the beginning of the paths that
 * remain. If `folder` is the path of a file, keeps only this file, under the last component of its path. Call this
 * function before hf_bundle_seal(). */
void hf_bundle_narrow(struct hf_bundle *bundle, const char *folder);
/* Sorts the files and computes the digest. -EBADMSG: two files have the same path, or the path of one file is also a
 * folder of another file. -E2BIG: the files are in more than HF_BUNDLE_MAX_FOLDERS folders. An empty bundle is
 * valid. */
HF_MUST_USE int hf_bundle_seal(struct hf_bundle *bundle, struct hf_err *err);

/* Checks a path against the rules of struct hf_bundle_file. -EBADMSG: the path breaks a rule; *err says which one. */
HF_MUST_USE int hf_bundle_check_path(const char *path, struct hf_err *err);

/* Returns how many folders `path` is in that `before` is not in. Both are relative paths. In a list that is sorted by
 * path in byte order, the sum over all paths, each with the path before it ("" for the first one), is the number of
 * different folders, because the paths of one folder follow each other. */
size_t hf_bundle_new_folders(const char *before, const char *path);

/* Returns the file with this path, or NULL if there is none. The bundle must be sealed. */
const struct hf_bundle_file *hf_bundle_find(const struct hf_bundle *bundle, const char *path);

/* Writes a sealed bundle durably to a file with mode 0600 (os/file.h). -EPERM: the bundle is secret. -EINVAL: the
 * bundle is not sealed. Other negative errnos come from the file system. */
HF_MUST_USE int hf_bundle_save(const struct hf_fs_ops *fs, const char *path, const struct hf_bundle *bundle,
                               struct hf_err *err);
/* Reads a bundle that hf_bundle_save() wrote. -ENOENT: the file does not exist. -EBADMSG: the file is damaged, or has
 * another format version; the caller gets the content from the source again. -ENOMEM: out of memory. Other negative
 * errnos come from the file system. */
HF_MUST_USE int hf_bundle_load(const struct hf_fs_ops *fs, const char *path, struct hf_bundle **ret_bundle,
                               struct hf_err *err);
