/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/home.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "os/dir.h"
#include "os/file.h"

struct hf_write_log_now hf_home_log_now(struct hf_home *home)
{
    struct hf_now now = hf_now_read(hf_home_clock(home));

    return (struct hf_write_log_now){now.mono_ns, now.unix_ns, hf_clock_is_sure(&home->clock), home->boot};
}

const char *hf_home_path(const struct hf_home *home, const char *name, char *path)
{
    int n = snprintf(path, PATH_MAX, "%s/%s", home->dir, name);

    (void)n; /* HF_HOME_PATH leaves room for our names */
    return path;
}

const struct hf_clock_ops *hf_home_clock(struct hf_home *home)
{
    return hf_clock_ops_of(&home->clock);
}

static int name_holder(const struct hf_fs_ops *fs, const char *dir, const char *path, const char *own,
                       struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(64);
    struct hf_err ignored = HF_ERR_INIT;
    struct hf_view pid = {0};

    if (hf_file_read(fs, path, &text, &ignored) == 0)
        pid = hf_view_trim(hf_buf_view(&text));
    if (pid.n == 0)
        pid = HF_VIEW("unknown");
    return hf_err_set(err, EWOULDBLOCK,
                      "another agent (pid %.*s) already runs on '%s': stop it, or give this one its own %s", (int)pid.n,
                      pid.p, dir, own);
}

/* For a person; the kernel keeps the lock itself. */
static void write_pid(const struct hf_fs_ops *fs, int fd, int pid)
{
    char text[16];
    int n = snprintf(text, sizeof(text), "%d\n", pid);

    if (fs->ftruncate(fs->ctx, fd, 0) == 0)
        (void)fs->pwrite(fs->ctx, fd, text, (size_t)n, 0);
}

int hf_home_lock(const struct hf_fs_ops *fs, const char *dir, const char *name, const char *own, int pid,
                 struct hf_err *err)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
        return hf_err_set(err, ENAMETOOLONG, "the path of folder '%.200s' is too long", dir);
    int r = hf_file_lock(fs, path, err);
    if (r == -EWOULDBLOCK)
        return name_holder(fs, dir, path, own, err);
    if (r >= 0)
        write_pid(fs, r, pid);
    return r;
}

/* Removes the temporary files that a power cut left in the middle of a replacement. The next replacement may be far
 * away. */
static void sweep(struct hf_home *home)
{
    static const char *const names[] = {"clock.new", "sequence.new", "outbox.json.new", "events.json.new"};
    char path[PATH_MAX];

    for (size_t i = 0; i < HF_LEN(names); i++)
        (void)home->fs->unlinkat(home->fs->ctx, AT_FDCWD, hf_home_path(home, names[i], path), 0);
}

/* ---- the clock file ---------------------------------------------------------------------------------------------- */

static void rename_file(struct hf_home *home, const char *name, const char *to)
{
    char from[PATH_MAX], path[PATH_MAX];

    (void)home->fs->renameat(home->fs->ctx, AT_FDCWD, hf_home_path(home, name, from), AT_FDCWD,
                             hf_home_path(home, to, path));
}

static int read_times(struct hf_home *home, const char *name, struct hf_clock_file *ret_file, struct hf_log *log)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLOCK_FILE_MAX);
    struct hf_err err = HF_ERR_INIT;
    char path[PATH_MAX];
    int r = hf_file_read(home->fs, hf_home_path(home, name, path), &text, &err);

    if (r == 0)
        r = hf_clock_file_parse(hf_buf_view(&text), ret_file, &err);
    if (r < 0 && r != -ENOENT)
        hf_log_err(log, HF_LOG_WARNING, "clock.damaged", "file", path, &err);
    if (hf_file_is_damage(r))
        rename_file(home, name, "clock.damaged");
    return r;
}

/* A file that cannot be read gets another name, so that the next save does not overwrite the newest signed time. This
 * process and every later one try to read it, until a clock file has a time that is not older. */
static void read_clock(struct hf_home *home, struct hf_log *log)
{
    struct hf_clock_file unread = {0};
    char path[PATH_MAX];
    int r = read_times(home, "clock", &home->kept, log);

    if (r < 0 && r != -ENOENT && !hf_file_is_damage(r))
        rename_file(home, "clock", "clock.unread");
    if (read_times(home, "clock.unread", &unread, log) < 0)
        return;
    if (r < 0) {
        home->kept = unread;
        rename_file(home, "clock.unread", "clock");
    } else if (unread.signed_unix_ns > home->kept.signed_unix_ns) {
        home->kept.signed_unix_ns = unread.signed_unix_ns;
    } else {
        (void)home->fs->unlinkat(home->fs->ctx, AT_FDCWD, hf_home_path(home, "clock.unread", path), 0);
    }
}

/* ---- boots ------------------------------------------------------------------------------------------------------- */

static bool knows_boots(const struct hf_home *home)
{
    return home->boot[0] != '\0' && home->kept.boot[0] != '\0';
}

bool hf_home_is_same_boot(const struct hf_home *home)
{
    return knows_boots(home) && strcmp(home->boot, home->kept.boot) == 0;
}

bool hf_home_is_other_boot(const struct hf_home *home)
{
    return knows_boots(home) && !hf_home_is_same_boot(home);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* Only root may enter, as in the systemd unit. An existing folder keeps its mode: it may have installed programs below
 * it. */
static int make_folder(struct hf_home *home, struct hf_err *err)
{
    char parent[PATH_MAX];

    (void)hf_dir_of_path(home->dir, parent, sizeof(parent));
    int r = hf_dir_make(home->fs, parent, 0755, err);
    return r < 0 ? r : hf_dir_make(home->fs, home->dir, 0700, err);
}

int hf_home_open(struct hf_home *home, const struct hf_fs_ops *fs, const char *dir, int pid,
                 const struct hf_clock_ops *wall, struct hf_log *log, struct hf_err *err)
{
    *home = (struct hf_home){.fs = fs, .lock_fd = -1};
    if (dir[0] != '/' || snprintf(home->dir, sizeof(home->dir), "%s", dir) >= (int)sizeof(home->dir))
        return hf_err_set(err, EINVAL, "state folder '%.200s' is not an absolute path of at most %d bytes", dir,
                          HF_HOME_PATH - 1);
    int r = make_folder(home, err);
    if (r == 0)
        r = hf_home_lock(fs, home->dir, "agent.lock", "--state-dir and --storage-dir", pid, err);
    if (r < 0)
        return r;
    home->lock_fd = r;
    sweep(home);
    hf_file_boot_id(fs, home->boot);
    read_clock(home, log);
    hf_clock_init(&home->clock, wall, &home->kept);
    return 0;
}

void hf_home_close(struct hf_home *home)
{
    if (home->fs != NULL && home->lock_fd >= 0)
        (void)home->fs->close(home->fs->ctx, home->lock_fd);
    home->lock_fd = -1;
}

bool hf_home_is_locked(const struct hf_home *home)
{
    struct stat locked, there;
    char path[PATH_MAX];

    return home->lock_fd >= 0 && home->fs->fstat(home->fs->ctx, home->lock_fd, &locked) == 0 &&
           home->fs->fstatat(home->fs->ctx, AT_FDCWD, hf_home_path(home, "agent.lock", path), &there,
                             AT_SYMLINK_NOFOLLOW) == 0 &&
           locked.st_ino == there.st_ino && locked.st_dev == there.st_dev;
}
