/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the kubelet's client certificate and key (--kubelet-identity), with which an agent without a credential asks
 * for its own. Blocks. Threads: any. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "kube/upstream.h"

#define HF_KUBELET_IDENTITY_AUTO "auto"
#define HF_KUBELET_IDENTITY_OFF "off"

/* `where`: "auto" (the first complete pair of K3s, RKE2, k0s, kubeadm), or the certificate's file, with the key in it
 * or in X.key beside X.crt. PEM; the caller wipes *key_pem. -ENOENT: none. -EPERM: somebody else owns the file or may
 * write it. -EBADMSG: damaged, without key, or not `node_name`'s. */
HF_MUST_USE int hf_kubelet_identity_read(const struct hf_fs_ops *fs, const char *where, const char *node_name,
                                         struct hf_buf *certificate_pem, struct hf_buf *key_pem, struct hf_err *err);

HF_MUST_USE int hf_kubelet_identity_use(const struct hf_fs_ops *fs, const char *where, const char *node_name,
                                        struct hf_upstream *upstream, struct hf_err *err);
