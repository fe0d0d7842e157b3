/* SPDX-License-Identifier: Apache-2.0 */
/* trust/folder.h - reads files of the trust folder, and reports problems of the folder.
 *
 * A user who can write the folder or a file in it decides which releases the node accepts. So the folder must belong to
 * root or to the agent's user, and neither its group nor others may have permission to write it. The same holds for
 * each file that the functions read. All functions block briefly. Threads: any. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "codec/sha256.h"

/* Opens the folder. Returns a descriptor or a negative errno. -ENOENT: the folder does not exist. -EPERM: a user other
 * than root and the agent's user owns the folder or can write it. */
HF_MUST_USE int hf_trust_folder_open(const struct hf_fs_ops *fs, const char *trust_dir, struct hf_err *err);

/* Reads <trust_dir>/<name>. Follows symbolic links, because the files of a mounted Secret are links. -ENOENT: the name
 * does not exist. -EPERM: a user other than root and the agent's user owns the file or can write it. -ENOLINK: the name
 * is a link to a file that does not exist. -ENAMETOOLONG: the path is too long. Other errors are those of stat() and of
 * hf_file_read(). After every error except -ENOENT, *err names the file. */
HF_MUST_USE int hf_trust_folder_read(const struct hf_fs_ops *fs, const char *trust_dir, const char *name,
                                     struct hf_buf *out, struct hf_err *err);

/* Appends one sentence for each problem to *out, separated by "; ". These are the problems: a folder or file that
 * others can write; a key file or threshold file that cannot be read; a private key in any file of at most
 * HF_TRUST_MAX_PEM bytes; a file <name>.pem that holds no valid public key; a file <name>.pem whose <name> is not a
 * valid key id; a key that the folder has under two names. Files whose names begin with a dot do not count. Appends
 * nothing if there is no problem, if the folder does not exist, or if memory runs out. Leaves out a sentence that would
 * make *out longer than out->max bytes. */
void hf_trust_folder_inspect(const struct hf_fs_ops *fs, const char *trust_dir, struct hf_buf *out);

/* Writes a hash of everything in the folder on which a verdict about signatures depends: the key files, the threshold
 * file, and the errors of reading these files. While this stamp stays the same, the verdict about a set of signatures
 * stays the same too. */
void hf_trust_folder_stamp(const struct hf_fs_ops *fs, const char *trust_dir, char stamp[static HF_SHA256_HEX]);
