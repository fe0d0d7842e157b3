/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/neighbours.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "loop/tpm_key.h"
#include "os/secret/guarded_file.h"

enum { MAX_PEM = 64 << 10 };

/* The authority of certificates for clients, by which the kubelet knows the API server: the same that signs the agents'
 * certificates (kubernetes.io/kube-apiserver-client). */
static const char *const authorities[] = {
    "/var/lib/rancher/k3s/agent/client-ca.crt",
    "/var/lib/rancher/rke2/agent/client-ca.crt",
    "/var/lib/k0s/pki/ca.crt",
    "/etc/kubernetes/pki/ca.crt",
};

static int read_authority(const struct hf_fs_ops *fs, const char *where, const char *given, struct hf_buf *out,
                          struct hf_err *err)
{
    char path[PATH_MAX];
    int r = -ENOENT;

    if (given != NULL)
        return hf_guarded_file_read(fs, given, out, err);
    for (size_t i = 0; r == -ENOENT && i < HF_LEN(authorities); i++) {
        (void)snprintf(path, sizeof(path), "%s%s", where, authorities[i]);
        r = hf_guarded_file_read(fs, path, out, err);
    }
    return r == -ENOENT
               ? hf_err_set(err, ENOENT, "no kubelet's authority of clients is in a known place: set share.caFile")
               : r;
}

static int read_own(const struct hf_fs_ops *fs, const char *given, const char *client_pem, struct hf_buf *out,
                    struct hf_err *err)
{
    const char *path = given != NULL ? given : client_pem;

    if (path == NULL)
        return hf_err_set(err, ENOENT,
                          "the agent has no certificate: run it with --client-certificate-dir, or set share.certFile");
    return hf_guarded_file_read(fs, path, out, err);
}

static int read_all(const struct hf_fs_ops *fs, const char *where, const struct hf_config_share *share,
                    const char *client_pem, struct hf_buf *ca, struct hf_buf *cert, struct hf_buf *key,
                    struct hf_err *err)
{
    int r = read_authority(fs, where, share->ca_file, ca, err);

    if (r == 0)
        r = read_own(fs, share->cert_file, client_pem, cert, err);
    if (r == 0)
        r = read_own(fs, share->key_file, client_pem, key, err);
    /* The loop would wait for the TPM in each handshake, and everybody in the subnet can begin one. */
    if (r == 0 && hf_tpm_key_is(hf_buf_str(key)))
        return hf_err_set(err, EOPNOTSUPP, "the certificate's key is in the TPM: set share.certFile and share.keyFile");
    return r;
}

void hf_neighbours_settle(struct hf_sharing *share, const struct hf_fs_ops *fs, const char *where,
                          const struct hf_config *config, const char *client_pem, struct hf_log *log, int *said)
{
    const struct hf_config_share wanted = hf_config_share(config);
    struct hf_buf ca = HF_BUF_INIT(MAX_PEM), cert = HF_BUF_INIT(MAX_PEM), key = HF_BUF_INIT(MAX_PEM);
    struct hf_err err = HF_ERR_INIT;
    int r = read_all(fs, where, &wanted, client_pem, &ca, &cert, &key, &err);

    if (r == 0)
        hf_share_settle(share, &(const struct hf_share_settings){.port = (uint16_t)wanted.port,
                                                                 .bytes_per_s = wanted.bytes_per_s,
                                                                 .ca_pem = hf_buf_str(&ca),
                                                                 .cert_pem = hf_buf_str(&cert),
                                                                 .key_pem = hf_buf_str(&key)});
    else
        hf_share_settle(share, NULL);
    if (r < 0 && r != *said)
        hf_log_err(log, HF_LOG_WARNING, "share.unready", "config", hf_config_name(config), &err);
    *said = r;
    hf_buf_done(&ca);
    hf_buf_wipe(&cert); /* --client-certificate-dir has both in one file */
    hf_buf_wipe(&key);
}
