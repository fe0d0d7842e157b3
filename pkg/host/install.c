/* SPDX-License-Identifier: Apache-2.0 */
/* The first installation of the agent on its host, from the image of the pod that runs there.
 *
 * In this order: the build as a slot, the supervisor, the links, the environment, the mark, the command's link, the
 * unit. Each is made beside its place, synced and renamed, and left alone if it is there: the slot and the supervisor
 * by their links, because the agent on the host updates itself, and an image that is older or newer decides nothing
 * there. Credentials are in a folder that the watching pod may write (credentials.c); everything else is out of its
 * reach.
 *
 * Where SELinux is on, a file that a container wrote has a label that systemd may not execute. So each file gets the
 * label of its kind, and a kernel that refuses that ends the installation before the unit is there. */
#include "host/install.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/hex.h"
#include "codec/sha256.h"
#include "host/label.h"
#include "host/unit_text.h"
#include "os/dir.h"
#include "os/file.h"
#include "pack/tar/archive.h"
#include "supervisor/state.h"

#define HF_HOSTLIFE_TYPE_PROGRAM "bin_t"

#define LABEL "security.selinux"
#define SUPERVISOR "holdfast-supervisor"

/* ---- labels ------------------------------------------------------------------------------------------------------ */

/* Where files have no label, SELinux is off, and none is needed. */
static int set_label(const struct hf_fs_ops *fs, int fd, const char *type, const char *path, struct hf_err *err)
{
    char value[HF_HOSTLIFE_LABEL], label[HF_HOSTLIFE_LABEL];
    ssize_t n = fs->fgetxattr(fs->ctx, fd, LABEL, value, sizeof(value));

    if (n <= 0 || !hf_hostlife_label((struct hf_view){value, strnlen(value, (size_t)n)}, type, label))
        return 0;
    int r = fs->fsetxattr(fs->ctx, fd, LABEL, label, strlen(label) + 1);
    return r < 0 ? hf_err_set(err, EKEYREJECTED, "label '%s' as %s: %s", path, label, strerror(-r)) : 0;
}

/* The type of the folder that has `path`; false: it has no label. */
static bool type_of_folder(const struct hf_fs_ops *fs, const char *path, char type[HF_HOSTLIFE_LABEL])
{
    char folder[PATH_MAX], value[HF_HOSTLIFE_LABEL];

    (void)hf_dir_of_path(path, folder, sizeof(folder));
    int fd = fs->openat(fs->ctx, AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    ssize_t n = fd < 0 ? fd : fs->fgetxattr(fs->ctx, fd, LABEL, value, sizeof(value));
    if (fd >= 0)
        (void)fs->close(fs->ctx, fd);
    return n > 0 && hf_hostlife_label_type((struct hf_view){value, strnlen(value, (size_t)n)}, type);
}

static int label_unit(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    char type[HF_HOSTLIFE_LABEL];

    if (!type_of_folder(fs, path, type))
        return 0;
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0, HF_FS_ANY);
    if (fd < 0)
        return hf_err_sys(err, fd, "open '%s'", path);
    int r = set_label(fs, fd, type, path, err);
    (void)fs->close(fs->ctx, fd);
    return r;
}

/* ---- programs ---------------------------------------------------------------------------------------------------- */

static int write_copy(const struct hf_fs_ops *fs, int from, const char *to, struct hf_err *err)
{
    struct stat st;
    int fd = fs->openat(fs->ctx, AT_FDCWD, to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0755, HF_FS_ANY);

    if (fd < 0)
        return hf_err_sys(err, fd, "make '%s'", to);
    int r = fs->fstat(fs->ctx, from, &st);
    if (r == 0)
        r = hf_file_copy(fs, from, fd, 0, (uint64_t)st.st_size);
    if (r == 0)
        r = fs->fchmod(fs->ctx, fd, 0755);
    if (r == 0)
        r = fs->fsync(fs->ctx, fd);
    if (r < 0)
        (void)hf_err_sys(err, r, "write '%s'", to);
    else
        r = set_label(fs, fd, HF_HOSTLIFE_TYPE_PROGRAM, to, err);
    (void)fs->close(fs->ctx, fd);
    return r;
}

/* 1: the image does not have it. */
static int copy_program(const struct hf_hostlife_place *place, const char *from_dir, const char *to_dir,
                        const char *name, struct hf_err *err)
{
    const struct hf_fs_ops *fs = place->fs;
    char from[PATH_MAX], to[PATH_MAX];

    if (snprintf(from, sizeof(from), "%s/%s/%s", place->image_dir, from_dir, name) >= (int)sizeof(from) ||
        snprintf(to, sizeof(to), "%s/%s", to_dir, name) >= (int)sizeof(to))
        return hf_err_set(err, ENAMETOOLONG, "the path of '%s' is too long", name);
    int fd = fs->openat(fs->ctx, AT_FDCWD, from, O_RDONLY | O_CLOEXEC, 0, HF_FS_ANY);
    if (fd == -ENOENT)
        return 1;
    if (fd < 0)
        return hf_err_sys(err, fd, "open '%s'", from);
    int r = write_copy(fs, fd, to, err);
    (void)fs->close(fs->ctx, fd);
    return r;
}

/* Makes the folder `made` anew from these programs of the image's folder `from`; the first is required. */
static int copy_programs(const struct hf_hostlife_place *place, const char *from, const char *made,
                         const char *const *names, struct hf_err *err)
{
    const struct hf_fs_ops *fs = place->fs;
    int r = hf_dir_remove_tree(fs, made, err);

    if (r == 0)
        r = hf_dir_make(fs, made, 0755, err);
    for (size_t i = 0; r == 0 && names[i] != NULL; i++) {
        r = copy_program(place, from, made, names[i], err);
        if (r == 1)
            r = i > 0 ? 0 : hf_err_set(err, ENOENT, "the image has no %s/%s", from, names[i]);
    }
    return r == 0 ? hf_dir_sync(fs, made, err) : r;
}

/* Gives the folder `made`, in which all is synced, its name. What has it already is no build that runs: it goes. */
static int publish(const struct hf_fs_ops *fs, const char *made, const char *folder, struct hf_err *err)
{
    char parent[PATH_MAX];
    int r = hf_dir_remove_tree(fs, folder, err);

    if (r < 0)
        return r;
    r = fs->renameat(fs->ctx, AT_FDCWD, made, AT_FDCWD, folder);
    if (r < 0)
        return hf_err_sys(err, r, "rename '%s' to '%s'", made, folder);
    (void)hf_dir_of_path(folder, parent, sizeof(parent));
    return hf_dir_sync(fs, parent, err);
}

/* ---- links ------------------------------------------------------------------------------------------------------- */

/* The target; "" if `path` is not a link. */
static const char *link_of(const struct hf_fs_ops *fs, const char *path, char target[PATH_MAX])
{
    ssize_t n = fs->readlinkat(fs->ctx, AT_FDCWD, path, target, PATH_MAX - 1);

    target[HF_MAX(n, 0)] = '\0';
    return target;
}

static int set_link(const struct hf_fs_ops *fs, const char *path, const char *target, struct hf_err *err)
{
    char made[PATH_MAX], parent[PATH_MAX], old[PATH_MAX];

    if (strcmp(link_of(fs, path, old), target) == 0)
        return 0;
    (void)snprintf(made, sizeof(made), "%.*s.new", PATH_MAX - 8, path);
    (void)fs->unlinkat(fs->ctx, AT_FDCWD, made, 0);
    int r = fs->symlinkat(fs->ctx, target, AT_FDCWD, made);
    if (r == 0)
        r = fs->renameat(fs->ctx, AT_FDCWD, made, AT_FDCWD, path);
    if (r < 0)
        return hf_err_sys(err, r, "link '%s' to '%s'", path, target);
    (void)hf_dir_of_path(path, parent, sizeof(parent));
    return hf_dir_sync(fs, parent, err);
}

static bool leads_somewhere(const struct hf_hostlife_place *place, const char *name)
{
    char path[PATH_MAX];
    struct stat st;

    return place->fs->fstatat(place->fs->ctx, AT_FDCWD, hf_hostlife_path(place, name, path), &st, 0) == 0;
}

/* ---- the build --------------------------------------------------------------------------------------------------- */

/* <builds>/<SHA-256 of its canonical archive>: a release of kind Agent would give the folder this name, too. So deltas
 * from it fit, and it goes as older releases do. */
static int name_slot(const struct hf_fs_ops *fs, const char *made, char slot[HF_HOST_SLOT], struct hf_err *err)
{
    _cleanup_(hf_archive_freep) struct hf_archive *archive = NULL;
    unsigned char digest[HF_SHA256_BYTES];
    char hex[HF_SHA256_HEX];
    int fd = fs->openat(fs->ctx, AT_FDCWD, made, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);

    if (fd < 0)
        return hf_err_sys(err, fd, "open '%s'", made);
    int r = hf_archive_new(fs, fd, 0, NULL, &archive, err);
    if (r == 0)
        r = hf_archive_digest(archive, digest, err);
    if (r == 0)
        (void)snprintf(slot, HF_HOST_SLOT, HF_HOST_BUILDS "/%s", hf_hex_encode(digest, sizeof(digest), hex));
    (void)fs->close(fs->ctx, fd);
    return r;
}

static int install_slot(const struct hf_hostlife_place *place, struct hf_err *err)
{
    static const char *const programs[] = {HF_HOST_AGENT, "holdfast", "holdfast-tpm", "holdfast-verify", NULL};
    char slot[HF_HOST_SLOT], made[PATH_MAX], path[PATH_MAX];

    if (leads_somewhere(place, HF_HOST_CURRENT "/" HF_HOST_AGENT))
        return 0;
    int r = hf_dir_make(place->fs, hf_hostlife_path(place, HF_HOST_BUILDS, path), 0755, err);
    if (r == 0)
        r = copy_programs(place, "host", hf_hostlife_path(place, HF_HOST_BUILDS "/first", made), programs, err);
    if (r == 0)
        r = name_slot(place->fs, made, slot, err);
    if (r == 0)
        r = publish(place->fs, made, hf_hostlife_path(place, slot, path), err);
    /* There is nothing to go back to, so the first build counts as good: the supervisor keeps starting it. */
    if (r == 0 && !leads_somewhere(place, HF_HOST_GOOD))
        r = set_link(place->fs, hf_hostlife_path(place, HF_HOST_GOOD, path), slot, err);
    return r == 0 ? set_link(place->fs, hf_hostlife_path(place, HF_HOST_CURRENT, path), slot, err) : r;
}

static int install_supervisor(const struct hf_hostlife_place *place, struct hf_err *err)
{
    static const char *const programs[] = {SUPERVISOR, NULL};
    char made[PATH_MAX], path[PATH_MAX];

    if (leads_somewhere(place, "supervisor/current/" SUPERVISOR))
        return 0;
    int r = hf_dir_make(place->fs, hf_hostlife_path(place, "supervisor", path), 0755, err);
    if (r == 0)
        r = copy_programs(place, "supervisor", hf_hostlife_path(place, "supervisor/1.new", made), programs, err);
    if (r == 0)
        r = publish(place->fs, made, hf_hostlife_path(place, "supervisor/1", path), err);
    return r == 0 ? set_link(place->fs, hf_hostlife_path(place, "supervisor/current", path), "1", err) : r;
}

/* For a person's shell. What is there and not ours stays. */
static int install_command(const struct hf_hostlife_place *place, bool remove, struct hf_err *err)
{
    const struct hf_fs_ops *fs = place->fs;
    char path[PATH_MAX], target[PATH_MAX], old[PATH_MAX];
    struct stat st;

    if (place->bin_dir == NULL || fs->fstatat(fs->ctx, AT_FDCWD, place->bin_dir, &st, 0) < 0)
        return 0;
    (void)snprintf(path, sizeof(path), "%.3000s/holdfast", place->bin_dir);
    (void)hf_hostlife_path(place, HF_HOST_CURRENT "/holdfast", target);
    bool ours = strcmp(link_of(fs, path, old), target) == 0;
    if (remove)
        return ours ? hf_file_remove(fs, path, err) : 0;
    if (fs->fstatat(fs->ctx, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    int r = set_link(fs, path, target, err);
    return r == -EROFS ? 0 : r;
}

/* ---- unit and environment ---------------------------------------------------------------------------------------- */

static int install_texts(const struct hf_hostlife_install *install, struct hf_err *err)
{
    const struct hf_hostlife_place *place = install->place;
    const struct hf_fs_ops *fs = place->fs;
    char path[PATH_MAX];
    int r = hf_file_replace(fs, hf_hostlife_path(place, "agent.env", path), install->environment.p,
                            install->environment.n, 0600, err);

    if (r == 0)
        r = hf_file_replace(fs, hf_hostlife_unit_path(place, path), install->unit.p, install->unit.n, 0644, err);
    return r == 0 ? label_unit(fs, path, err) : r;
}

int hf_hostlife_start(const struct hf_hostlife_systemd *systemd, struct hf_err *err)
{
    char active[HF_HOSTLIFE_STATE] = "";
    int r = systemd->act(systemd->ctx, HF_UNIT_ENABLE, err);

    if (r == 0)
        r = systemd->act(systemd->ctx, HF_UNIT_START, err);
    if (r == 0)
        r = systemd->state(systemd->ctx, active, err);
    /* A unit whose conditions do not hold starts without an error, and does not run. */
    if (r == 0 && strcmp(active, "active") != 0)
        return hf_err_set(err, EIO, "%s is %s after its start: see systemctl status", HF_HOSTLIFE_UNIT_NAME, active);
    return r;
}

static int reload_and(const struct hf_hostlife_systemd *systemd, bool restart, struct hf_err *err)
{
    int r = systemd->act(systemd->ctx, HF_UNIT_RELOAD_ALL, err);

    if (r == 0 && restart)
        return systemd->restart(systemd->ctx, err);
    return r == 0 ? hf_hostlife_start(systemd, err) : r;
}

static enum hf_hostlife_reason reason_of(int r)
{
    return r == -EKEYREJECTED ? HF_HOSTLIFE_R_NO_LABELS : HF_HOSTLIFE_R_FAILED;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static int make_folder(const struct hf_hostlife_place *place, struct hf_err *err)
{
    const struct hf_fs_ops *fs = place->fs;
    char path[PATH_MAX];
    int r = hf_dir_make(fs, hf_hostlife_path(place, "", path), 0700, err);

    if (r < 0)
        return r;
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    r = fd < 0 ? fd : fs->fchmod(fs->ctx, fd, 0700); /* the kubelet makes the folders of mounts for all to enter */
    if (fd >= 0)
        (void)fs->close(fs->ctx, fd);
    return r < 0 ? hf_err_sys(err, r, "open '%s'", path) : 0;
}

int hf_hostlife_install(const struct hf_hostlife_install *install, enum hf_hostlife_reason *ret_reason,
                        struct hf_err *err)
{
    const struct hf_hostlife_place *place = install->place;
    struct hf_hostlife_mark mark = {.proven = false};
    int r = make_folder(place, err);

    if (r == 0)
        r = install_slot(place, err);
    if (r == 0)
        r = install_supervisor(place, err);
    if (r == 0 && hf_hostlife_mark_load(place, &mark, NULL) < 0) {
        hf_hostlife_boot_id(place, mark.boot);
        (void)snprintf(mark.version, sizeof(mark.version), "%.60s", install->version);
        r = hf_hostlife_mark_save(place, &mark, err);
    }
    if (r == 0)
        r = install_command(place, false, err);
    if (r == 0)
        r = install_texts(install, err);
    if (r == 0)
        r = reload_and(install->systemd, false, err);
    if (r < 0)
        *ret_reason = reason_of(r);
    return r;
}

int hf_hostlife_refresh(const struct hf_hostlife_install *install, enum hf_hostlife_reason *ret_reason,
                        struct hf_err *err)
{
    int r = install_texts(install, err);

    if (r == 0)
        r = reload_and(install->systemd, true, err);
    if (r < 0)
        *ret_reason = reason_of(r);
    return r;
}

/* Stopped before its file goes; -ENOENT: systemd does not know it. */
static int end_unit(const struct hf_hostlife_place *place, const struct hf_hostlife_systemd *systemd,
                    struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(65536);
    char path[PATH_MAX];

    if (hf_file_read(place->fs, hf_hostlife_unit_path(place, path), &text, NULL) < 0 ||
        !hf_hostlife_unit_is_ours(hf_buf_view(&text)))
        return 0;
    int r = systemd->act(systemd->ctx, HF_UNIT_STOP, err);
    if (r == 0 || r == -ENOENT)
        r = systemd->act(systemd->ctx, HF_UNIT_DISABLE, err);
    if (r == 0 || r == -ENOENT)
        r = hf_file_remove(place->fs, path, err);
    return r == 0 ? systemd->act(systemd->ctx, HF_UNIT_RELOAD_ALL, err) : r;
}

int hf_hostlife_remove(const struct hf_hostlife_place *place, const struct hf_hostlife_systemd *systemd,
                       struct hf_err *err)
{
    char path[PATH_MAX];
    int r = end_unit(place, systemd, err);

    if (r == 0)
        r = install_command(place, true, err);
    return r == 0 ? hf_dir_remove_tree(place->fs, hf_hostlife_path(place, "", path), err) : r;
}
