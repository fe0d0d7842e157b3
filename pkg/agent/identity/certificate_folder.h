/* SPDX-License-Identifier: Apache-2.0 */
/* agent/identity/certificate_folder.h - reads the files of --client-certificate-dir. Blocks. Threads: any.
 *
 * Security: a user who can write there could choose the key for which the agent requests a certificate, and so get the
 * node's identity. A folder or file is used only if root or the agent's user owns it and no other user can write it. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "trust/certificate.h"

/* -EPERM: another user owns or can write it; *err says what to do. -ENOTDIR. Errors of stat(). */
HF_MUST_USE int hf_certificate_folder_check(const struct hf_fs_ops *fs, const char *dir, struct hf_err *err);

/* Appends to *out. -ENOENT; -EPERM: another user owns or can write folder or file. Errors of the check and
 * hf_file_read(). */
HF_MUST_USE int hf_certificate_folder_read(const struct hf_fs_ops *fs, const char *dir, const char *path,
                                           struct hf_buf *out, struct hf_err *err);

/* client.pem: certificate, then key. Checked with hf_certificate_take() for the names of `owner`, whose key_pem becomes
 * *key. -EBADMSG: no key, or refused. */
HF_MUST_USE int hf_certificate_folder_split(const struct hf_buf *text, struct hf_certificate_owner *owner,
                                            struct hf_buf *certificate, struct hf_buf *key,
                                            struct hf_certificate_info *ret_info, struct hf_err *err);
