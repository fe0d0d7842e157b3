/* SPDX-License-Identifier: Apache-2.0 */
#include "host/credentials.h"

#include <stdio.h>
#include <string.h>

#include "os/dir.h"
#include "os/file.h"

enum { MAX_BYTES = 256 * 1024 };

static const char kubeconfig[] = "apiVersion: v1\n"
                                 "kind: Config\n"
                                 "clusters:\n"
                                 "- {name: cluster, cluster: {server: \"%s\", certificate-authority: ca.crt}}\n"
                                 "users:\n"
                                 "- {name: agent, user: {tokenFile: token}}\n"
                                 "contexts:\n"
                                 "- {name: agent, context: {cluster: cluster, user: agent}}\n"
                                 "current-context: agent\n";

/* Writes the file unless it holds this text already. */
static int put(const struct hf_hostlife_place *place, const char *name, struct hf_view text, struct hf_err *err)
{
    _cleanup_(hf_buf_wipe) struct hf_buf old = HF_BUF_INIT(MAX_BYTES);
    char path[PATH_MAX], below[64];

    (void)snprintf(below, sizeof(below), HF_HOSTLIFE_POD_DIR "/%s", name);
    (void)hf_hostlife_path(place, below, path);
    if (hf_file_read(place->fs, path, &old, NULL) == 0 && hf_buf_view(&old).n == text.n &&
        memcmp(old.p, text.p, text.n) == 0)
        return 0;
    return hf_file_replace(place->fs, path, text.p, text.n, 0600, err);
}

static int copy(const struct hf_hostlife_place *place, const char *account, const char *name, struct hf_err *err)
{
    _cleanup_(hf_buf_wipe) struct hf_buf text = HF_BUF_INIT(MAX_BYTES);
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/%s", account, name);
    int r = hf_file_read(place->fs, path, &text, err);
    return r == 0 ? put(place, name, hf_buf_view(&text), err) : r;
}

int hf_hostlife_credentials_sync(const struct hf_hostlife_place *place, const char *account, const char *server,
                                 struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    char folder[PATH_MAX];
    int r = hf_dir_make(place->fs, hf_hostlife_path(place, HF_HOSTLIFE_POD_DIR, folder), 0700, err);

    if (r == 0)
        r = copy(place, account, "ca.crt", err);
    if (r == 0)
        r = copy(place, account, "token", err);
    if (r == 0)
        r = hf_buf_addf(&text, kubeconfig, server);
    return r == 0 ? put(place, "kubeconfig", hf_buf_view(&text), err) : r;
}
