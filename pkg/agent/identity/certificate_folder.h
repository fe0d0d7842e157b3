/* SPDX-License-Identifier: Apache-2.0 */
/* Files of --client-certificate-dir, and the kubelet's. Who writes there could get the node's identity: root or the
 * agent's user must own folder and file, and nobody else may write. Blocks. Threads: any. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "trust/certificate.h"

/* -EPERM: another owner or writer; *err has the remedy. -ENOTDIR. Errors of stat(). */
HF_MUST_USE int hf_certificate_folder_check(const struct hf_fs_ops *fs, const char *dir, struct hf_err *err);

/* Appends to `out`. Errors of hf_certificate_folder_check() and hf_file_read(). */
HF_MUST_USE int hf_certificate_folder_read(const struct hf_fs_ops *fs, const char *dir, const char *path,
                                           struct hf_buf *out, struct hf_err *err);

/* client.pem: certificate, then key; checked by hf_certificate_take() for `owner`, whose key_pem becomes *key.
 * -EBADMSG: refused, or no key. */
HF_MUST_USE int hf_certificate_folder_split(const struct hf_buf *text, struct hf_certificate_owner *owner,
                                            struct hf_buf *certificate, struct hf_buf *key,
                                            struct hf_certificate_info *ret_info, struct hf_err *err);
