/* SPDX-License-Identifier: Apache-2.0 */
#include "host/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "host/unit_text.h"
#include "os/disk.h"
#include "os/file.h"
#include "os/owner.h"
#include "supervisor/state.h"

enum { MAX_TEXT = 64 * 1024, RESERVE_BYTES = 16 << 20 /* left after the installation */ };

static const struct hf_fs_ops *fs_of(const struct hf_hostlife_place *place)
{
    return place->fs;
}

static bool is_there(const struct hf_hostlife_place *place, const char *path)
{
    struct stat st;

    return fs_of(place)->fstatat(fs_of(place)->ctx, AT_FDCWD, path, &st, 0) == 0;
}

/* ---- folders ----------------------------------------------------------------------------------------------------- */

struct folder {
    bool there, read_only, noexec, in_memory;
};

/* A folder that is not there would be made in the nearest one above. */
static struct folder look_at(const struct hf_hostlife_place *place, const char *path)
{
    const struct hf_fs_ops *fs = fs_of(place);
    char at[PATH_MAX];
    int fd;

    (void)snprintf(at, sizeof(at), "%s", path);
    while ((fd = fs->openat(fs->ctx, AT_FDCWD, at, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY)) == -ENOENT &&
           strrchr(at, '/') > at)
        *strrchr(at, '/') = '\0';
    struct folder folder = {.there = fd >= 0};
    struct statvfs st;

    if (fd < 0)
        return folder;
    if (fs->fstatvfs(fs->ctx, fd, &st) == 0) {
        folder.read_only = (st.f_flag & ST_RDONLY) != 0;
        folder.noexec = (st.f_flag & ST_NOEXEC) != 0;
    }
    folder.in_memory = fs->is_memory(fs->ctx, fd) == 1;
    (void)fs->close(fs->ctx, fd);
    return folder;
}

/* One that is not there would be made for root. */
static bool is_open(const struct hf_hostlife_place *place, const char *path)
{
    struct stat st;
    char why[64];

    return fs_of(place)->fstatat(fs_of(place)->ctx, AT_FDCWD, path, &st, 0) == 0 &&
           !hf_owner_is_safe(&st, why, sizeof(why));
}

bool hf_hostlife_is_open(const struct hf_hostlife_place *place)
{
    char path[PATH_MAX];

    return is_open(place, place->state_dir) || is_open(place, hf_hostlife_path(place, "", path));
}

/* ---- the system -------------------------------------------------------------------------------------------------- */

/* These have no systemd, or keep neither /etc nor programs of others. */
static bool is_unsuitable(const struct hf_hostlife_place *place, const char *root)
{
    static const char *const names[] = {"talos", "bottlerocket"};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TEXT);
    char path[PATH_MAX];
    struct hf_view rest, line;

    (void)snprintf(path, sizeof(path), "%.3000s/etc/os-release", root);
    if (hf_file_read(fs_of(place), path, &text, NULL) < 0)
        return false;
    rest = hf_buf_view(&text);
    while (hf_view_split(&rest, '\n', &line)) {
        struct hf_view value = {line.p + 3, line.n - 3};
        if (!hf_view_starts(line, "ID="))
            continue;
        if (value.n >= 2 && (value.p[0] == '"' || value.p[0] == '\''))
            value = (struct hf_view){value.p + 1, value.n - 2};
        for (size_t i = 0; i < HF_LEN(names); i++)
            if (hf_view_eq(value, names[i]))
                return true;
    }
    return false;
}

static bool is_packaged(const struct hf_hostlife_place *place, const char *root)
{
    static const char *const folders[] = {"/usr/lib", "/lib", "/usr/local/lib"};
    char path[PATH_MAX];

    for (size_t i = 0; i < HF_LEN(folders); i++) {
        (void)snprintf(path, sizeof(path), "%.3000s%s/systemd/system/" HF_HOSTLIFE_UNIT_NAME, root, folders[i]);
        if (is_there(place, path))
            return true;
    }
    return false;
}

static bool unit_is_ours(const struct hf_hostlife_place *place, struct hf_buf *text)
{
    char path[PATH_MAX];

    return hf_file_read(fs_of(place), hf_hostlife_unit_path(place, path), text, NULL) == 0 &&
           hf_hostlife_unit_is_ours(hf_buf_view(text));
}

unsigned hf_hostlife_look_at_host(const struct hf_hostlife_place *place, const char *root)
{
    _cleanup_(hf_buf_done) struct hf_buf unit = HF_BUF_INIT(MAX_TEXT);
    struct folder state = look_at(place, place->state_dir), units = look_at(place, place->unit_dir);
    char path[PATH_MAX];
    unsigned has = 0;

    if (is_unsuitable(place, root))
        has |= HF_HOSTLIFE_UNSUITABLE;
    if (state.in_memory || units.in_memory)
        has |= HF_HOSTLIFE_IN_MEMORY;
    if (!units.there || units.read_only)
        has |= HF_HOSTLIFE_UNITS_READ_ONLY;
    if (state.noexec)
        has |= HF_HOSTLIFE_NOEXEC;
    if (hf_hostlife_is_open(place))
        has |= HF_HOSTLIFE_OPEN_FOLDER;
    if (unit_is_ours(place, &unit))
        has |= HF_HOSTLIFE_UNIT;
    else if (fs_of(place)->fstatat(fs_of(place)->ctx, AT_FDCWD, hf_hostlife_unit_path(place, path), &(struct stat){0},
                                   AT_SYMLINK_NOFOLLOW) == 0 ||
             is_packaged(place, root))
        has |= HF_HOSTLIFE_FOREIGN_UNIT;
    return has;
}

/* ---- what a pod sees --------------------------------------------------------------------------------------------- */

static bool same_text(const struct hf_hostlife_place *place, const char *path, struct hf_view wanted)
{
    _cleanup_(hf_buf_wipe) struct hf_buf text = HF_BUF_INIT(MAX_TEXT);

    return hf_file_read(fs_of(place), path, &text, NULL) == 0 && text.n == wanted.n &&
           memcmp(text.p, wanted.p, wanted.n) == 0;
}

static unsigned look_at_installation(const struct hf_hostlife_place *place, const struct hf_hostlife_wanted *wanted)
{
    struct hf_hostlife_decision decision;
    struct hf_hostlife_mark mark;
    char path[PATH_MAX], supervisor[PATH_MAX], boot[HF_HOSTLIFE_BOOT];
    unsigned has = 0;

    if (hf_hostlife_mark_load(place, &mark, NULL) == 0) {
        hf_hostlife_boot_id(place, boot);
        has |= HF_HOSTLIFE_MARK;
        if (boot[0] != '\0' && mark.boot[0] != '\0' && strcmp(mark.boot, boot) != 0)
            has |= HF_HOSTLIFE_OTHER_BOOT;
    }
    if (is_there(place, hf_hostlife_path(place, HF_HOST_CURRENT "/" HF_HOST_AGENT, path)) &&
        is_there(place, hf_hostlife_path(place, "supervisor/current/holdfast-supervisor", supervisor)))
        has |= HF_HOSTLIFE_SLOT;
    /* An image without the unit's template is older than what it finds. */
    if ((wanted->unit.n == 0 || same_text(place, hf_hostlife_unit_path(place, path), wanted->unit)) &&
        same_text(place, hf_hostlife_path(place, "agent.env", path), wanted->environment))
        has |= HF_HOSTLIFE_SAME;
    if (hf_hostlife_decision_load(place, &decision, NULL) == 0 && decision.reason == HF_HOSTLIFE_R_NOT_PERSISTENT)
        has |= HF_HOSTLIFE_FORGOT;
    return has;
}

static uint64_t size_of_build(const struct hf_hostlife_place *place)
{
    static const char *const files[] = {"host/holdfast-agent", "host/holdfast", "host/holdfast-tpm",
                                        "host/holdfast-verify"};
    const struct hf_fs_ops *fs = fs_of(place);
    char path[PATH_MAX];
    uint64_t bytes = 0;
    struct stat st;

    for (size_t i = 0; i < HF_LEN(files); i++) {
        (void)snprintf(path, sizeof(path), "%.3000s/%s", place->image_dir, files[i]);
        if (fs->fstatat(fs->ctx, AT_FDCWD, path, &st, 0) == 0)
            bytes += (uint64_t)st.st_size;
    }
    return bytes;
}

void hf_hostlife_facts(const struct hf_hostlife_place *place, const struct hf_hostlife_systemd *systemd,
                       const struct hf_hostlife_wanted *wanted, struct hf_hostlife_facts *ret_facts,
                       char message[HF_HOSTLIFE_TEXT])
{
    char path[PATH_MAX], active[HF_HOSTLIFE_STATE] = "";
    struct hf_err err = HF_ERR_INIT;
    struct hf_disk disk;
    unsigned has = hf_hostlife_look_at_host(place, "") | look_at_installation(place, wanted);

    message[0] = '\0';
    int r = systemd->state(systemd->ctx, active, &err);
    if (r == 0 || r == -ENOENT)
        has |= HF_HOSTLIFE_SYSTEMD;
    else
        (void)hf_err_text(&err, message, HF_HOSTLIFE_TEXT);
    /* A unit that systemd knows and whose file is elsewhere, as a package installs it. */
    if (r == 0 && (has & (HF_HOSTLIFE_UNIT | HF_HOSTLIFE_MARK)) == 0)
        has |= HF_HOSTLIFE_FOREIGN_UNIT;
    (void)snprintf(path, sizeof(path), "%.3000s/host/" HF_HOST_AGENT, place->image_dir);
    if (is_there(place, path) && wanted->unit.n > 0)
        has |= HF_HOSTLIFE_BUILD;
    if (wanted->pod_secrets)
        has |= HF_HOSTLIFE_POD_SECRETS;
    *ret_facts = (struct hf_hostlife_facts){.has = has, .needed_bytes = size_of_build(place) + RESERVE_BYTES};
    if (hf_disk_read(fs_of(place), place->state_dir, &disk, NULL) == 0)
        ret_facts->free_bytes = disk.available_bytes;
}
