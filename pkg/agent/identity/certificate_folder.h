/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the files of --client-certificate-dir, and the kubelet's. Whoever can write there could get the node's
 * identity: only root or the agent's user may own folder and file, and nobody else may write. Blocks. Threads: any. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "trust/certificate.h"

/* -EPERM: somebody else owns the folder or may write there; *err has the remedy. -ENOTDIR. Errors of stat(). */
HF_MUST_USE int hf_certificate_folder_check(const struct hf_fs_ops *fs, const char *dir, struct hf_err *err);

/* Appends the file to `out`. -EPERM, -ENOTDIR as above. */
HF_MUST_USE int hf_certificate_folder_read(const struct hf_fs_ops *fs, const char *dir, const char *path,
                                           struct hf_buf *out, struct hf_err *err);

/* Splits client.pem into certificate and key. hf_certificate_take() checks the certificate for `owner`, whose key_pem
 * becomes *key. -EBADMSG: refused, or no key. */
HF_MUST_USE int hf_certificate_folder_split(const struct hf_buf *text, struct hf_certificate_owner *owner,
                                            struct hf_buf *certificate, struct hf_buf *key,
                                            struct hf_certificate_info *ret_info, struct hf_err *err);
