/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the trust folder, which decides the releases that the node accepts: it and each file must belong to root or the
 * agent's user, and be writable for no other. Blocks briefly. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "codec/sha256.h"

/* Returns a descriptor. -ENOENT. -EPERM: wrong owner or mode. */
HF_MUST_USE int hf_trust_folder_open(const struct hf_fs_ops *fs, const char *trust_dir, struct hf_err *err);

/* Follows links, as in a mounted Secret. -ENOENT. -EPERM: owner or mode. -ENOLINK: a link to nothing. -ENAMETOOLONG.
 * Else stat()'s and hf_file_read()'s. *err names the file, except for -ENOENT. */
HF_MUST_USE int hf_trust_folder_read(const struct hf_fs_ops *fs, const char *trust_dir, const char *name,
                                     struct hf_buf *out, struct hf_err *err);

/* Sentences, separated by "; ", as far as they fit: wrong owner or mode; an unreadable key or threshold; a private key
 * in a file of up to HF_TRUST_MAX_PEM bytes; <name>.pem without a public key or valid key id; a key under two names.
 * Ignores files that begin with a dot. */
void hf_trust_folder_inspect(const struct hf_fs_ops *fs, const char *trust_dir, struct hf_buf *out);

/* A hash of everything in the folder on which a verdict depends. */
void hf_trust_folder_stamp(const struct hf_fs_ops *fs, const char *trust_dir, char stamp[static HF_SHA256_HEX]);
