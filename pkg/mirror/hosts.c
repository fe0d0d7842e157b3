/* SPDX-License-Identifier: Apache-2.0 */
/* containerd takes the first folder that is there: "host_port_", "host:port", "_default". So a folder appears by one
 * rename with its file in it, and disappears by one: in between containerd would take an empty one for an answer, and
 * certificates of others beside a hosts.toml do not count. What a cut leaves is below a name that no registry has.
 *
 * K3s and RKE2 leave others' files there, so neither registries.yaml nor a restart is needed. */
#include "mirror/hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/strmap.h"
#include "os/dir.h"
#include "os/file.h"

#define FILE_NAME "hosts.toml"
#define SPARE ".holdfast-" /* before the name of a folder that comes or goes */

enum { MAX_TEXT = 64 << 10, MAX_PLACE = 3000, MAX_OURS = 256 };

const struct hf_mirror_hosts_place hf_mirror_hosts_places[] = {
    {"/var/lib/rancher/k3s/agent/etc/containerd/config.toml", "/var/lib/rancher/k3s/agent/etc/containerd/certs.d"},
    {"/var/lib/rancher/rke2/agent/etc/containerd/config.toml", "/var/lib/rancher/rke2/agent/etc/containerd/certs.d"},
    {"/etc/containerd/config.toml", "/etc/containerd/certs.d"},
    {NULL, NULL}};

struct hosts {
    const struct hf_fs_ops *fs;
    char folder[MAX_PLACE];
    struct hf_view text; /* with the mark */
    struct hf_mirror_hosts_done *done;
    struct hf_strmap found; /* names in the folder, without values */
};

static const char *path_of(const struct hosts *hosts, const char *before, const char *name, const char *behind,
                           char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%s/%s%.300s%s", hosts->folder, before, name, behind);
    return path;
}

static bool is_there(const struct hosts *hosts, const char *name)
{
    char path[PATH_MAX];
    struct stat st;

    return hosts->fs->fstatat(hosts->fs->ctx, AT_FDCWD, path_of(hosts, "", name, "", path), &st, AT_SYMLINK_NOFOLLOW) ==
           0;
}

/* A file that cannot be read is not ours. */
static bool read_ours(const struct hosts *hosts, const char *name, struct hf_buf *text)
{
    char path[PATH_MAX];

    return hf_file_read(hosts->fs, path_of(hosts, "", name, "/" FILE_NAME, path), text, NULL) == 0 &&
           hf_view_starts(hf_buf_view(text), HF_MIRROR_HOSTS_MARK);
}

static bool is_ours(const struct hosts *hosts, const char *name)
{
    _cleanup_(hf_buf_wipe) struct hf_buf text = HF_BUF_INIT(MAX_TEXT);

    return read_ours(hosts, name, &text);
}

static int count_others(void *arg, const char *name, unsigned char type)
{
    unsigned *others = arg;

    (void)type;
    *others += strcmp(name, FILE_NAME) != 0 && strcmp(name, FILE_NAME ".new") != 0;
    return 0;
}

/* What a person has put beside our file stays. */
static bool has_others(const struct hosts *hosts, const char *name)
{
    char path[PATH_MAX];
    unsigned others = 0;
    int fd = hosts->fs->openat(hosts->fs->ctx, AT_FDCWD, path_of(hosts, "", name, "", path),
                               O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);

    if (fd < 0 || hosts->fs->list(hosts->fs->ctx, fd, count_others, &others) < 0)
        others = 1;
    if (fd >= 0)
        (void)hosts->fs->close(hosts->fs->ctx, fd);
    return others > 0;
}

static int move(const struct hosts *hosts, const char *from, const char *to, struct hf_err *err)
{
    int r = hosts->fs->renameat(hosts->fs->ctx, AT_FDCWD, from, AT_FDCWD, to);

    return r < 0 ? hf_err_sys(err, r, "rename '%.160s'", from) : hf_dir_sync(hosts->fs, hosts->folder, err);
}

static int take_away(const struct hosts *hosts, const char *name, struct hf_err *err)
{
    char path[PATH_MAX], spare[PATH_MAX];

    bool stays = has_others(hosts, name);
    int r = stays ? hf_file_forget(hosts->fs, path_of(hosts, "", name, "/" FILE_NAME, path), err)
                  : hf_dir_remove_tree(hosts->fs, path_of(hosts, SPARE, name, "", spare), err);

    if (r == 0 && !stays)
        r = move(hosts, path_of(hosts, "", name, "", path), spare, err);
    hosts->done->changed += r == 0;
    return r == 0 && !stays ? hf_dir_remove_tree(hosts->fs, spare, err) : r;
}

static int bring(const struct hosts *hosts, const char *name, struct hf_err *err)
{
    char path[PATH_MAX], spare[PATH_MAX];
    int r = hf_dir_remove_tree(hosts->fs, path_of(hosts, SPARE, name, "", spare), err);

    if (r == 0)
        r = hf_dir_make(hosts->fs, spare, 0755, err);
    if (r == 0)
        r = hf_file_replace(hosts->fs, path_of(hosts, SPARE, name, "/" FILE_NAME, path), hosts->text.p, hosts->text.n,
                            0600, err);
    return r == 0 ? move(hosts, spare, path_of(hosts, "", name, "", path), err) : r;
}

static int put(const struct hosts *hosts, const char *name, struct hf_err *err)
{
    _cleanup_(hf_buf_wipe) struct hf_buf now = HF_BUF_INIT(MAX_TEXT);
    char other[300], path[PATH_MAX];
    const char *colon = strrchr(name, ':'), *foreign = NULL;
    bool ours = read_ours(hosts, name, &now);

    (void)snprintf(other, sizeof(other), colon != NULL ? "%.*s_%s_" : "%.*s%s",
                   colon != NULL ? (int)(colon - name) : 299, name, colon != NULL ? colon + 1 : "");
    if (colon != NULL && is_there(hosts, other))
        foreign = other;
    else if (!ours && is_there(hosts, name))
        foreign = name;
    else if (!ours && is_there(hosts, "_default"))
        foreign = "_default";
    if (foreign != NULL) {
        if (hosts->done->foreign++ == 0)
            (void)path_of(hosts, "", foreign, "", hosts->done->first);
        return 0;
    }
    if (ours && now.n == hosts->text.n && memcmp(now.p, hosts->text.p, now.n) == 0)
        return 0;
    int r = ours ? hf_file_replace(hosts->fs, path_of(hosts, "", name, "/" FILE_NAME, path), hosts->text.p,
                                   hosts->text.n, 0600, err)
                 : bring(hosts, name, err);
    hosts->done->changed += r == 0;
    return r;
}

static int note(void *arg, const char *name, unsigned char type)
{
    struct hosts *hosts = arg;

    (void)type;
    return hosts->found.n < MAX_OURS && (strncmp(name, SPARE, strlen(SPARE)) == 0 || is_ours(hosts, name))
               ? hf_strmap_put(&hosts->found, name, NULL)
               : 0;
}

const char *hf_mirror_hosts_name(const char *registry)
{
    return strncmp(registry, "http://", 7) == 0 ? registry + 7 : registry;
}

static bool is_wanted(const char *const *registries, const char *name)
{
    for (; *registries != NULL; registries++)
        if (strcmp(hf_mirror_hosts_name(*registries), name) == 0)
            return true;
    return false;
}

static int settle_place(struct hosts *hosts, const char *const *registries, struct hf_err *err)
{
    int fd =
        hosts->fs->openat(hosts->fs->ctx, AT_FDCWD, hosts->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    int r = fd < 0 ? fd : hosts->fs->list(hosts->fs->ctx, fd, note, hosts);

    if (fd >= 0)
        (void)hosts->fs->close(hosts->fs->ctx, fd);
    if (r < 0 && r != -ENOENT)
        return hf_err_sys(err, r, "list '%s'", hosts->folder);
    r = *registries != NULL ? hf_dir_make(hosts->fs, hosts->folder, 0755, err) : 0;
    for (size_t i = 0; r == 0 && i < hosts->found.n; i++) {
        const char *name = hosts->found.entries[i].key;
        char path[PATH_MAX];
        if (strncmp(name, SPARE, strlen(SPARE)) == 0)
            r = hf_dir_remove_tree(hosts->fs, path_of(hosts, "", name, "", path), err);
        else if (!is_wanted(registries, name))
            r = take_away(hosts, name, err);
    }
    for (; r == 0 && *registries != NULL; registries++)
        r = put(hosts, hf_mirror_hosts_name(*registries), err);
    return r;
}

int hf_mirror_hosts_settle(const struct hf_fs_ops *fs, const char *root, const struct hf_mirror_hosts_place *place,
                           const char *const *registries, struct hf_view text, struct hf_mirror_hosts_done *ret_done,
                           struct hf_err *err)
{
    static const char *const none[] = {NULL};
    _cleanup_(hf_buf_wipe) struct hf_buf marked = HF_BUF_INIT(MAX_TEXT);
    struct hf_err why = HF_ERR_INIT;
    int r = hf_buf_add_str(&marked, HF_MIRROR_HOSTS_MARK);

    *ret_done = (struct hf_mirror_hosts_done){.changed = 0};
    if (r == 0)
        r = hf_buf_add(&marked, text.p, text.n);
    if (r < 0)
        return hf_err_sys(err, r, "make hosts.toml");
    for (size_t i = 0; hf_mirror_hosts_places[i].folder != NULL; i++) {
        struct hosts hosts = {.fs = fs, .text = hf_buf_view(&marked), .done = ret_done};
        (void)snprintf(hosts.folder, sizeof(hosts.folder), "%s%s", root, hf_mirror_hosts_places[i].folder);
        int one = settle_place(&hosts, &hf_mirror_hosts_places[i] == place ? registries : none, r == 0 ? err : &why);
        r = r < 0 ? r : one;
        hf_strmap_done(&hosts.found);
    }
    return r;
}
