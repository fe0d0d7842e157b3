/* SPDX-License-Identifier: Apache-2.0 */
/* K3s' places are those of its source (github.com/k3s-io/k3s): cmd/k3s/main.go for data/current, a link to the folder
 * of the version that was unpacked last (one that runs again after a rollback leaves the link as it is), and for PATH,
 * with bin/aux behind the system's; cmd/server/main.go for containerd and crictl, which are that one program by the
 * last part of their path; pkg/agent/config/config.go and config_linux.go for agent/etc/containerd/config.toml,
 * agent/containerd, and /run/k3s/containerd with its socket, wherever --data-dir is; pkg/agent/containerd/containerd.go
 * for the arguments. Another --data-dir than the default one is not found. */
#include "alone/places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "os/file.h"

#define K3S(dir, run)                                                                                                  \
    {                                                                                                                  \
        .containerd = dir "/data/current/bin/containerd", .config = dir "/agent/etc/containerd/config.toml",           \
        .socket = run "/containerd/containerd.sock", .root = dir "/agent/containerd", .state = run "/containerd",      \
        .crictl = dir "/data/current/bin/crictl",                                                                      \
        .path = dir "/data/current/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:" dir              \
                    "/data/current/bin/aux",                                                                           \
    }
#define PLAIN(program, crictl_)                                                                                        \
    {                                                                                                                  \
        .containerd = (program), .config = "/etc/containerd/config.toml", .socket = "/run/containerd/containerd.sock", \
        .crictl = (crictl_), .path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",                   \
        .unit = "containerd.service",                                                                                  \
    }

static const struct hf_alone_place places[] = {
    K3S("/var/lib/rancher/k3s", "/run/k3s"),
    PLAIN("/usr/bin/containerd", "/usr/bin/crictl"),
    PLAIN("/usr/bin/containerd", "/usr/local/bin/crictl"),
    PLAIN("/usr/local/bin/containerd", "/usr/local/bin/crictl"),
};

static const char *const k3s_programs[] = {"/usr/local/bin/k3s", "/usr/bin/k3s", "/opt/bin/k3s"};

enum { MAX_CONFIG = 1 << 20 };

static bool exists(const struct hf_fs_ops *fs, const char *path)
{
    struct stat st;

    return fs->fstatat(fs->ctx, AT_FDCWD, path, &st, 0) == 0 && S_ISREG(st.st_mode);
}

/* K3s unpacks its containerd, and writes its configuration, when it starts. */
static bool awaits_k3s(const struct hf_fs_ops *fs)
{
    bool installed = false;

    for (size_t i = 0; i < HF_LEN(k3s_programs) && !installed; i++)
        installed = exists(fs, k3s_programs[i]);
    return installed && (!exists(fs, places[0].containerd) || !exists(fs, places[0].config));
}

const struct hf_alone_place *hf_alone_place_find(const struct hf_fs_ops *fs, struct hf_err *err)
{
    const char *missing = NULL;

    for (size_t i = 0; i < HF_LEN(places); i++) {
        const struct hf_alone_place *place = &places[i];
        if (!exists(fs, place->containerd) || !exists(fs, place->config))
            continue;
        if (exists(fs, place->crictl))
            return place;
        missing = missing == NULL ? place->crictl : missing;
    }
    if (awaits_k3s(fs))
        (void)hf_err_set(err, ENOENT,
                         "K3s has not unpacked and configured its containerd on this node yet: start it once");
    else
        (void)hf_err_set(err, ENOENT, "there is no %s on this node",
                         missing != NULL ? missing : "containerd that it knows");
    return NULL;
}

/* The value behind `key =` in a line of TOML, or NULL. */
static const char *value_of(const char *line, const char *key)
{
    size_t n = strlen(key);

    if (strncmp(line, key, n) != 0)
        return NULL;
    line += n;
    line += strspn(line, " \t");
    if (*line != '=')
        return NULL;
    line++;
    return line + strspn(line, " \t");
}

bool hf_alone_place_is_systemd(const char *config)
{
    for (const char *line = config; line != NULL; line = strchr(line, '\n')) {
        line += strspn(line, "\n\r\t ");
        const char *value = value_of(line, "SystemdCgroup");
        if (value != NULL && strncmp(value, "true", 4) == 0)
            return true;
    }
    return false;
}

bool hf_alone_place_address(const char *config, char *address, size_t n)
{
    bool inside = false;

    for (const char *line = config; line != NULL; line = strchr(line, '\n')) {
        line += strspn(line, "\n\r\t ");
        if (*line == '[')
            inside = strncmp(line, "[grpc]", 6) == 0;
        const char *value = inside ? value_of(line, "address") : NULL;
        if (value == NULL || value[0] != '"' || value[1] != '/')
            continue;
        size_t length = strcspn(value + 1, "\"\n");
        if (value[1 + length] != '"' || length >= n)
            return false;
        (void)snprintf(address, n, "%.*s", (int)length, value + 1);
        return true;
    }
    return false;
}

void hf_alone_place_socket(const struct hf_fs_ops *fs, const struct hf_alone_place *place, char *socket, size_t n)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_CONFIG);

    if (hf_file_read(fs, place->config, &text, NULL) < 0 || !hf_alone_place_address(hf_buf_str(&text), socket, n))
        (void)snprintf(socket, n, "%s", place->socket);
}

const char *hf_alone_place_cgroup_parent(const struct hf_fs_ops *fs, const struct hf_alone_place *place)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_CONFIG);

    if (hf_file_read(fs, place->config, &text, NULL) < 0)
        return "/holdfast-alone";
    return hf_alone_place_is_systemd(hf_buf_str(&text)) ? "holdfast-alone.slice" : "/holdfast-alone";
}
