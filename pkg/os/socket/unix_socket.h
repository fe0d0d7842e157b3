/* SPDX-License-Identifier: Apache-2.0 */
/* A listening Unix socket. It gets its name, by rename(2), when it listens, with mode and group set. Replaces only a
 * socket of this user without a listener. */
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/macros.h"

/* less than sun_path (108): until rename(2) the name is longer */
enum { HF_UNIX_SOCKET_PATH = 108 - 8 };

struct hf_unix_socket_params {
    const char *path;
    int type;
    mode_t mode;
    gid_t gid; /* (gid_t)-1: the process's group */
    int backlog;
};

struct hf_unix_socket {
    char path[HF_UNIX_SOCKET_PATH];
    dev_t device;
    ino_t inode;
};

/* Makes the socket. At the end close *ret_fd, and call hf_unix_socket_remove(). -ENAMETOOLONG; -EPERM: another user may
 * change the folder, or owns the socket; -EEXIST: the name is no socket; -EADDRINUSE. */
HF_MUST_USE int hf_unix_socket_listen(const struct hf_unix_socket_params *params, int *ret_fd,
                                      struct hf_unix_socket *ret_socket, struct hf_err *err);

/* Removes the name if it is still this socket's. `path` may be "". */
void hf_unix_socket_remove(struct hf_unix_socket *socket);
