/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the trust folder. Folder and files must belong to root or the agent's user, and nobody else may write. Blocks
 * briefly. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "codec/sha256.h"

/* Returns a descriptor. -ENOENT: no folder. -EPERM: wrong owner or mode. */
HF_MUST_USE int hf_trust_folder_open(const struct hf_fs_ops *fs, const char *trust_dir, struct hf_err *err);

/* Reads a file; follows links, as in mounted Secrets. -ENOENT: no file. -EPERM: wrong owner or mode. -ENOLINK: a link
 * to nothing. */
HF_MUST_USE int hf_trust_folder_read(const struct hf_fs_ops *fs, const char *trust_dir, const char *name,
                                     struct hf_buf *out, struct hf_err *err);

/* Appends sentences about faults, as far as they fit: a wrong owner or mode; an unreadable key or threshold; a private
 * key in a file of up to HF_TRUST_MAX_PEM bytes; <name>.pem without public key or valid key id; a key under two
 * names. Skips hidden files. */
void hf_trust_folder_inspect(const struct hf_fs_ops *fs, const char *trust_dir, struct hf_buf *out);

/* Hashes all files on which verdicts depend. */
void hf_trust_folder_stamp(const struct hf_fs_ops *fs, const char *trust_dir, char stamp[static HF_SHA256_HEX]);
