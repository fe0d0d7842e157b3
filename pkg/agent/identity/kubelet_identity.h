/* SPDX-License-Identifier: Apache-2.0 */
/* agent/identity/kubelet_identity.h - reads the client certificate and key of this node's kubelet (--kubelet-identity),
 * with which an agent without a credential of its own asks for a certificate. Blocks. Threads: any. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "kube/upstream.h"

#define HF_KUBELET_IDENTITY_AUTO "auto"
#define HF_KUBELET_IDENTITY_OFF "off"

/* `where`: "auto", the places of K3s, RKE2, k0s and kubeadm, of which the first whole pair counts; or the file of
 * the certificate. The key stands in the same file, or in the one whose name ends with .key in place of .crt. Both are
 * PEM; the caller overwrites *key_pem.
 * -ENOENT: none. -EPERM: another user owns or can write a file. -EBADMSG: damaged, or of another node than
 * `node_name`. */
HF_MUST_USE int hf_kubelet_identity_read(const struct hf_fs_ops *fs, const char *where, const char *node_name,
                                         struct hf_buf *certificate_pem, struct hf_buf *key_pem, struct hf_err *err);

/* Gives it to `upstream`. Errors of both. */
HF_MUST_USE int hf_kubelet_identity_use(const struct hf_fs_ops *fs, const char *where, const char *node_name,
                                        struct hf_upstream *upstream, struct hf_err *err);
