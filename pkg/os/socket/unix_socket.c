/* SPDX-License-Identifier: Apache-2.0 */
#include "os/socket/unix_socket.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/dir.h"
#include "os/fd.h"

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    return address;
}

/* Who may change the folder could put another name in place of ours at any time. */
static int check_folder(const char *path, struct hf_err *err)
{
    char folder[PATH_MAX];
    struct stat st;

    (void)hf_dir_of_path(path, folder, sizeof(folder));
    if (stat(folder, &st) < 0)
        return hf_err_sys(err, -errno, "look at folder '%.160s'", folder);
    if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return hf_err_set(err, EPERM, "others may change folder '%.160s': make it belong to this user, with mode 0755",
                          folder);
    return 0;
}

/* Returns 0 if the name may be taken: it is free, or a socket of ours that nobody listens on. */
static int check_name(const struct hf_unix_socket_params *params, struct hf_err *err)
{
    const struct sockaddr_un address = address_of(params->path);
    struct stat st;

    if (lstat(params->path, &st) < 0)
        return errno == ENOENT ? 0 : hf_err_sys(err, -errno, "look at '%s'", params->path);
    if (!S_ISSOCK(st.st_mode))
        return hf_err_set(err, EEXIST, "'%s' exists and is not a socket", params->path);
    if (st.st_uid != geteuid())
        return hf_err_set(err, EPERM, "'%s' is a socket of user %u", params->path, (unsigned)st.st_uid);
    _cleanup_(hf_closep) int fd = socket(AF_UNIX, params->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return hf_err_sys(err, -errno, "make a socket");
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 && errno == ECONNREFUSED)
        return 0;
    return hf_err_set(err, EADDRINUSE, "another process listens on '%s'", params->path);
}

/* The mode of an unbound socket becomes that of its name, so that nobody can connect before everything is set. */
static int bind_at(const struct hf_unix_socket_params *params, const char *name, int *ret_fd, struct hf_err *err)
{
    const struct sockaddr_un address = address_of(name);
    _cleanup_(hf_closep) int fd = socket(AF_UNIX, params->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stat st;

    if (fd < 0 || fchmod(fd, 0) < 0)
        return hf_err_sys(err, -errno, "make a socket");
    /* what a process left that died in the middle of this */
    if (lstat(name, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == geteuid())
        (void)unlink(name);
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return hf_err_sys(err, -errno, "bind '%s'", name);
    *ret_fd = hf_steal_fd(&fd);
    return 0;
}

static int prepare(const struct hf_unix_socket_params *params, const char *name, int fd,
                   struct hf_unix_socket *ret_socket, struct hf_err *err)
{
    struct stat st;

    if ((params->gid != (gid_t)-1 && lchown(name, (uid_t)-1, params->gid) < 0) || chmod(name, params->mode) < 0 ||
        lstat(name, &st) < 0)
        return hf_err_sys(err, -errno, "prepare '%s'", name);
    if (params->type == SOCK_STREAM && listen(fd, params->backlog) < 0)
        return hf_err_sys(err, -errno, "listen on '%s'", name);
    if (rename(name, params->path) < 0)
        return hf_err_sys(err, -errno, "rename '%s' to '%s'", name, params->path);
    (void)snprintf(ret_socket->path, sizeof(ret_socket->path), "%s", params->path);
    ret_socket->device = st.st_dev;
    ret_socket->inode = st.st_ino;
    return 0;
}

int hf_unix_socket_listen(const struct hf_unix_socket_params *params, int *ret_fd, struct hf_unix_socket *ret_socket,
                          struct hf_err *err)
{
    char name[HF_UNIX_SOCKET_PATH + 8];
    int fd = -1;

    if (strlen(params->path) >= HF_UNIX_SOCKET_PATH)
        return hf_err_set(err, ENAMETOOLONG, "path '%.120s' is too long for a socket", params->path);
    (void)snprintf(name, sizeof(name), "%s.new", params->path);
    int r = check_folder(params->path, err);
    if (r == 0)
        r = check_name(params, err);
    if (r == 0)
        r = bind_at(params, name, &fd, err);
    if (r < 0)
        return r;
    r = prepare(params, name, fd, ret_socket, err);
    if (r < 0) {
        (void)unlink(name);
        (void)close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

void hf_unix_socket_remove(struct hf_unix_socket *socket)
{
    struct stat st;

    if (socket->path[0] != '\0' && lstat(socket->path, &st) == 0 && st.st_dev == socket->device &&
        st.st_ino == socket->inode)
        (void)unlink(socket->path);
    socket->path[0] = '\0';
}
