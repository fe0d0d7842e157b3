/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a source delivers for one entry of spec.manifests, in memory and on disk. Owns paths and contents. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/view.h"
#include "codec/sha256.h"

struct hf_source_turn;

enum {
    HF_BUNDLE_MAX_FILES = 4096,
    HF_BUNDLE_MAX_FOLDERS = 4096,
    HF_BUNDLE_MAX_BYTES = 16 << 20,
    HF_BUNDLE_MAX_FILE = 4 << 20,
    HF_BUNDLE_MAX_PATH = 1024, /* with its final zero */
    HF_BUNDLE_MAX_DEPTH = 32,
    /* for sources without modes, such as a ConfigMap */
    HF_BUNDLE_NO_MODE = 0,
};

struct hf_bundle_file {
    /* Relative, normal, UTF-8 without control characters; components have at most 255 bytes, and are not "." or
     * "..". */
    const char *path;
    uint32_t mode; /* permission bits within 0777, or HF_BUNDLE_NO_MODE */
    struct hf_view bytes;
    /* private; secret bundle: size of the one block at `path`, which holds path and content; otherwise 0 */
    size_t room;
};

struct hf_bundle {
    struct hf_bundle_file *files; /* sorted by path in byte order, once sealed */
    size_t n;
    size_t bytes;
    /* SHA-256 in hex, once sealed, over a line for each file: "<octal mode> <SHA-256 of the content> <path>\n"; from a
     * sealed copy: `id` */
    char digest[HF_SHA256_HEX];
    /* Of a whole Secret: from uid and resourceVersion; used instead of `digest`. */
    char id[HF_SHA256_HEX];
    bool secret; /* hf_bundle_save() refuses it; overwritten when freed; set before files are added */
    /* the turn (source/turns.h) to be in memory, owned, or NULL. Only the loop thread frees a bundle that has one */
    struct hf_source_turn *turn;
    size_t cap;  /* private */
    bool sealed; /* private */
};

struct hf_bundle *hf_bundle_new(void);
void hf_bundle_free(struct hf_bundle *bundle);
HF_DEFINE_CLEANUP(struct hf_bundle, hf_bundle_free)

/* Adds a copy of a file, with permission bits of `mode`. -EBADMSG: hf_bundle_check_path(). -E2BIG: too many files or
 * bytes. */
HF_MUST_USE int hf_bundle_add(struct hf_bundle *bundle, const char *path, uint32_t mode, struct hf_view bytes,
                              struct hf_err *err);
/* Adds a file of n bytes, which the caller writes before hf_bundle_seal(). */
HF_MUST_USE int hf_bundle_make_room(struct hf_bundle *bundle, const char *path, uint32_t mode, size_t n,
                                    char **ret_bytes, struct hf_err *err);
HF_MUST_USE int hf_bundle_copy(const struct hf_bundle *from, struct hf_bundle **ret_bundle, struct hf_err *err);
/* Keeps only the files below `folder`, with paths relative to it; if `folder` is a file, only that, under its last
 * component. Call it before hf_bundle_seal(). */
void hf_bundle_narrow(struct hf_bundle *bundle, const char *folder);
/* Ends additions: sorts the files, computes the digest. -EBADMSG: a path comes twice, or is also a folder. -E2BIG: more
 * than HF_BUNDLE_MAX_FOLDERS. An empty bundle is valid. */
HF_MUST_USE int hf_bundle_seal(struct hf_bundle *bundle, struct hf_err *err);

/* -EBADMSG: the path breaks a rule of struct hf_bundle_file or a maximum. */
HF_MUST_USE int hf_bundle_check_path(const char *path, struct hf_err *err);

/* Counts the folders above `path` that are not above `before`, the path before it in byte order (or ""). */
size_t hf_bundle_new_folders(const char *before, const char *path);

/* Needs a sealed bundle. */
const struct hf_bundle_file *hf_bundle_find(const struct hf_bundle *bundle, const char *path);

/* Writes a sealed bundle durably, compressed and sealed (codec/seal.h), with mode 0600. Blocks. -EPERM: secret.
 * -EINVAL: not sealed. */
HF_MUST_USE int hf_bundle_save(const struct hf_fs_ops *fs, const char *path, const struct hf_bundle *bundle,
                               struct hf_err *err);
/* Blocks. -ENOENT. -EBADMSG: damaged or another format: the source has to deliver again. */
HF_MUST_USE int hf_bundle_load(const struct hf_fs_ops *fs, const char *path, struct hf_bundle **ret_bundle,
                               struct hf_err *err);
