/* trust/folder.h - reads files of the trust folder, and reports what does not belong there.
 *
 * A user who can write the folder or a file in it decides which releases the node accepts. So the functions use the
 * folder and a file only if root or the agent's user owns it, and neither its group nor others can write it. All
 * functions block briefly. Threads: any. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "codec/sha256.h"

/* Opens the folder. Returns a descriptor or a negative errno. -ENOENT: the folder does not exist. -EPERM: a user other
 * than root and the agent's user owns the folder or can write it. */
HF_MUST_USE int hf_trust_folder_open(const struct hf_fs_ops *fs, const char *trust_dir, struct hf_err *err);

/* Reads <trust_dir>/<name>. Follows links, because mounted Secrets are links. -ENOENT: the folder has no such name.
 * -EPERM: a user other than root and the agent's user owns the file or can write it. -ENOLINK: the name is a link to a
 * file that does not exist. Other errors are those of hf_file_read(). After every error except -ENOENT, *err names the
 * file. */
HF_MUST_USE int hf_trust_folder_read(const struct hf_fs_ops *fs, const char *trust_dir, const char *name,
                                     struct hf_buf *out, struct hf_err *err);

/* Writes one sentence for each problem into *out, separated by "; ": a folder or file that others can write, a private
 * key under any name, a file <name>.pem that holds no key or has no valid key id as its name, and a key that the folder
 * has under two names. Leaves *out empty if there is no problem or if the folder does not exist. out->max limits the
 * text. */
void hf_trust_folder_inspect(const struct hf_fs_ops *fs, const char *trust_dir, struct hf_buf *out);

/* Writes a hash of everything in the folder that a verdict about signatures depends on: the key files, the threshold,
 * and the errors of reading them. If two stamps are equal, the verdicts are equal. */
void hf_trust_folder_stamp(const struct hf_fs_ops *fs, const char *trust_dir, char stamp[static HF_SHA256_HEX]);
