/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/certificate_folder.h - reads the files of --client-certificate-dir.
 *
 * A user who can write the folder or a file in it could choose the key for which the agent requests a certificate, and
 * so get the node's identity. So the functions use a folder or file only if root or the agent's user owns it, and
 * neither its group nor other users can write it. All functions block briefly. Threads: any. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "trust/certificate.h"

/* Checks that `dir` is a folder which the functions of this file may use. -EPERM: another user owns the folder or can
 * write it; *err says what to do. -ENOTDIR: `dir` is not a folder. Other errors are those of stat(). */
HF_MUST_USE int hf_certificate_folder_check(const struct hf_fs_ops *fs, const char *dir, struct hf_err *err);

/* Checks the folder and the file, and appends the content of the file to *out. -ENOENT: the folder or the file is
 * absent. -EPERM: another user owns the folder or the file, or can write it. Other errors are those of
 * hf_certificate_folder_check() and hf_file_read(). */
HF_MUST_USE int hf_certificate_folder_read(const struct hf_fs_ops *fs, const char *dir, const char *path,
                                           struct hf_buf *out, struct hf_err *err);

/* Splits the text of client.pem, which is the certificate and then its key, and checks the certificate with
 * hf_certificate_take(). `owner` has the names that the certificate must have; the function sets owner->key_pem to the
 * text of *key. -EBADMSG: the text has no key, or hf_certificate_take() refuses the certificate. -ENOMEM. */
HF_MUST_USE int hf_certificate_folder_split(const struct hf_buf *text, struct hf_certificate_owner *owner,
                                            struct hf_buf *certificate, struct hf_buf *key,
                                            struct hf_certificate_info *ret_info, struct hf_err *err);
