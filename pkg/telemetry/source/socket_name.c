/* SPDX-License-Identifier: Apache-2.0 */
/* All calls go through a descriptor of the folder, so that nobody can replace the folder between two calls. The
 * socket gets its mode under a temporary name, so nobody sees it with another mode. The record holds the inode of
 * the socket, so that the agent recognises the socket that a killed agent left behind. */
#include "telemetry/source/socket_name.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/dir.h"
#include "os/fd.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "os/walk.h"

#define TEMPORARY ".holdfast-socket.new"

enum { MAX_FOLDER = 1024, MAX_RECORD = 64 };

/* Formats the address of `name` in an open folder. The path of the folder plays no part. */
static int address_of(int folder, const char *name, struct sockaddr_un *ret_address)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int n = snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", folder, name);

    if (n < 0 || (size_t)n >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    *ret_address = address;
    return 0;
}

/* Only -ECONNREFUSED proves that no process is bound to a socket; a stream socket answers with -EPROTOTYPE. */
static bool is_dead(int folder, const char *name)
{
    _cleanup_(hf_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    return fd >= 0 && address_of(folder, name, &address) == 0 &&
           connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 && errno == ECONNREFUSED;
}

/* ---- the record -------------------------------------------------------------------------------------------------- */

static int format_record(const struct stat *st, char text[MAX_RECORD])
{
    return snprintf(text, MAX_RECORD, "%" PRIx64 " %" PRIu64 "\n", (uint64_t)st->st_dev, (uint64_t)st->st_ino);
}

static bool is_recorded(const struct hf_fs_ops *fs, const char *record, const struct stat *st)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_RECORD);
    char want[MAX_RECORD];

    (void)format_record(st, want);
    return hf_file_read(fs, record, &text, NULL) == 0 && hf_view_eq(hf_buf_view(&text), want);
}

static int save_record(const struct hf_fs_ops *fs, const char *record, const struct stat *st, struct hf_err *err)
{
    char folder[MAX_FOLDER], text[MAX_RECORD];
    int n = format_record(st, text);

    (void)hf_dir_of_path(record, folder, sizeof(folder));
    int r = hf_dir_make(fs, folder, 0700, err);
    return r < 0 ? r : hf_file_replace(fs, record, text, (size_t)n, 0600, err);
}

/* ---- taking ------------------------------------------------------------------------------------------------------ */

/* Removes the socket of an earlier process of the agent, and nothing else of that name. */
static int clear(int folder, const char *name, const struct hf_fs_ops *fs, const char *record, struct hf_err *err)
{
    struct stat st;

    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : hf_err_sys(err, -errno, "stat '%s'", name);
    if (!S_ISSOCK(st.st_mode))
        return hf_err_set(err, EEXIST, "'%s' exists and is not a socket", name);
    if (!is_dead(folder, name))
        return hf_err_set(err, EADDRINUSE, "another process uses the socket '%s'", name);
    if (st.st_uid != geteuid() || (record != NULL && !is_recorded(fs, record, &st)))
        return hf_err_set(err, EPERM, "the socket '%s' is not the agent's: remove it if nobody needs it", name);
    if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
        return hf_err_sys(err, -errno, "remove '%s'", name);
    return 0;
}

/* Binds the socket under the temporary name and sets its mode there. */
static int bind_temporary(int folder, int fd, mode_t mode, struct stat *ret_st, struct hf_err *err)
{
    _cleanup_(hf_closep) int bound = -1;
    struct sockaddr_un address;
    char self[32];

    if (address_of(folder, TEMPORARY, &address) < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return hf_err_sys(err, -errno, "bind a socket");
    bound = openat(folder, TEMPORARY, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    (void)snprintf(self, sizeof(self), "/proc/self/fd/%d", bound);
    if (bound < 0)
        return hf_err_sys(err, -ENOENT, "set the mode of the socket");
    if (fstat(bound, ret_st) < 0)
        return hf_err_sys(err, -errno, "set the mode of the socket");
    if (!S_ISSOCK(ret_st->st_mode))
        return hf_err_sys(err, -ENOTSOCK, "set the mode of the socket");
    if (chmod(self, mode) < 0)
        return hf_err_sys(err, -errno, "set the mode of the socket");
    return 0;
}

static int publish(struct hf_socket_name *name, const struct stat *st, struct hf_err *err)
{
    int r = save_record(name->fs, name->record, st, err);

    if (r < 0)
        return r;
    if (renameat2(name->folder, TEMPORARY, name->folder, name->name, RENAME_NOREPLACE) < 0)
        return hf_err_sys(err, -errno, "rename the socket to '%s'", name->name);
    name->dev = st->st_dev;
    name->ino = st->st_ino;
    return 0;
}

int hf_socket_name_take(struct hf_socket_name *name, int fd, const char *path, mode_t mode, const struct hf_fs_ops *fs,
                        const char *record, struct hf_err *err)
{
    struct sockaddr_un address;
    struct hf_walk walk;
    struct stat st = {0};
    int r = hf_walk_to(hf_fs_posix(), path, &walk, err);

    if (r < 0)
        return r;
    name->folder = walk.folder;
    name->fs = fs;
    name->name = strdup(walk.name);
    name->record = strdup(record);
    if (name->name == NULL || name->record == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (address_of(name->folder, name->name, &address) < 0)
        return hf_err_set(err, ENAMETOOLONG, "path '%.120s' is too long for a socket", path);
    r = clear(name->folder, name->name, fs, record, err);
    if (r == 0)
        r = clear(name->folder, TEMPORARY, fs, NULL, err);
    if (r < 0)
        return hf_err_wrap(err, r, "socket '%s'", path);
    r = bind_temporary(name->folder, fd, mode, &st, err);
    if (r == 0)
        r = publish(name, &st, err);
    if (r < 0)
        (void)unlinkat(name->folder, TEMPORARY, 0);
    return r < 0 ? hf_err_wrap(err, r, "socket '%s'", path) : 0;
}

void hf_socket_name_done(struct hf_socket_name *name)
{
    struct stat st;

    if (name->ino != 0) {
        if (fstatat(name->folder, name->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == name->ino &&
            st.st_dev == name->dev)
            (void)unlinkat(name->folder, name->name, 0);
        /* The file system may give the inode number to a socket of another program. */
        (void)!hf_file_remove(name->fs, name->record, NULL);
    }
    if (name->folder >= 0)
        (void)close(name->folder);
    free(name->name);
    free(name->record);
    *name = (struct hf_socket_name)HF_SOCKET_NAME_INIT;
}
