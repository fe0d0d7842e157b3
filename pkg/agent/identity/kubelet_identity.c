/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/identity/kubelet_identity.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "agent/identity/certificate_folder.h"
#include "trust/certificate.h"

enum { MAX_FILE = 64 << 10 };

/* Each distribution's place; the kubelet replaces the file when it renews. */
static const char *const places[] = {
    "/var/lib/rancher/k3s/agent/client-kubelet.crt",
    "/var/lib/rancher/rke2/agent/client-kubelet.crt",
    "/var/lib/k0s/kubelet/pki/kubelet-client-current.pem",
    "/var/lib/kubelet/pki/kubelet-client-current.pem",
};

static int read_file(const struct hf_fs_ops *fs, const char *path, struct hf_buf *out, struct hf_err *err)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (slash == NULL || snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path) >= (int)sizeof(dir))
        return hf_err_set(err, EINVAL, "'%.160s' is not an absolute path", path);
    return hf_certificate_folder_read(fs, dir[0] != '\0' ? dir : "/", path, out, err);
}

/* The first private key in `text`, or NULL. */
static const char *find_key(const char *text)
{
    const char *end = strstr(text, "PRIVATE KEY-----"), *begin = NULL;

    for (const char *at = strstr(text, "-----BEGIN "); at != NULL && end != NULL && at < end;
         at = strstr(at + 1, "-----BEGIN "))
        begin = at;
    return begin;
}

static int read_key(const struct hf_fs_ops *fs, const char *path, struct hf_buf *key, struct hf_err *err)
{
    char key_path[PATH_MAX];
    size_t n = strlen(path);

    if (n < 4 || n >= sizeof(key_path) || strcmp(path + n - 4, ".crt") != 0)
        return hf_err_set(err, EBADMSG, "'%.160s' has no private key", path);
    (void)snprintf(key_path, sizeof(key_path), "%.*s.key", (int)(n - 4), path);
    return read_file(fs, key_path, key, err);
}

static int read_pair(const struct hf_fs_ops *fs, const char *path, const char *node_name, struct hf_buf *text,
                     struct hf_buf *certificate, struct hf_buf *key, struct hf_err *err)
{
    char name[300];
    struct hf_certificate_info info;
    int r = read_file(fs, path, text, err);

    if (r < 0)
        return r;
    const char *whole = text->n > 0 ? hf_buf_str(text) : "", *begin = find_key(whole);
    size_t n = begin != NULL ? (size_t)(begin - whole) : text->n;
    r = begin == NULL ? read_key(fs, path, key, err) : hf_buf_add_str(key, begin);
    if (r < 0)
        return r;
    (void)snprintf(name, sizeof(name), "system:node:%s", node_name);
    const struct hf_certificate_owner owner = {
        .key_pem = key->n > 0 ? hf_buf_str(key) : "", .common_name = name, .organization = "system:nodes"};
    return hf_certificate_take((struct hf_view){whole, n}, &owner, certificate, &info, err);
}

static int read_from(const struct hf_fs_ops *fs, const char *path, const char *node_name, struct hf_buf *certificate,
                     struct hf_buf *key, struct hf_err *err)
{
    struct hf_buf text = HF_BUF_INIT(MAX_FILE);
    int r = read_pair(fs, path, node_name, &text, certificate, key, err);

    hf_buf_wipe(&text);
    return r < 0 && r != -ENOENT ? hf_err_wrap(err, r, "the kubelet's '%.160s'", path) : r;
}

int hf_kubelet_identity_read(const struct hf_fs_ops *fs, const char *where, const char *node_name,
                             struct hf_buf *certificate_pem, struct hf_buf *key_pem, struct hf_err *err)
{
    if (strcmp(where, HF_KUBELET_IDENTITY_AUTO) != 0)
        return read_from(fs, where, node_name, certificate_pem, key_pem, err);
    for (size_t i = 0; i < HF_LEN(places); i++) {
        int r = read_from(fs, places[i], node_name, certificate_pem, key_pem, err);
        if (r != -ENOENT)
            return r;
    }
    return hf_err_set(err, ENOENT, "no kubelet's certificate is in a known place");
}

int hf_kubelet_identity_use(const struct hf_fs_ops *fs, const char *where, const char *node_name,
                            struct hf_upstream *upstream, struct hf_err *err)
{
    struct hf_buf certificate = HF_BUF_INIT(MAX_FILE), key = HF_BUF_INIT(MAX_FILE);
    int r = hf_kubelet_identity_read(fs, where, node_name, &certificate, &key, err);

    if (r == 0)
        r = hf_upstream_use_certificate(upstream, hf_buf_str(&certificate), hf_buf_str(&key), err);
    hf_buf_wipe(&key);
    hf_buf_wipe(&certificate);
    return r;
}
