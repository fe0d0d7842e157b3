/* SPDX-License-Identifier: Apache-2.0 */
/* os/socket/unix_socket.h - a listening Unix socket with a name in the file system.
 *
 * The name appears by rename(2). At that moment the socket already listens, and the name has its final mode and group.
 * If the name exists already, the new socket replaces only a socket of the same user, and only if no process listens on
 * it any more.
 *
 * Threads: any. */
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/macros.h"

/* Size of a path in bytes, with the terminator. This is 8 bytes less than sun_path (108), because the temporary name is
 * longer than the path. */
enum { HF_UNIX_SOCKET_PATH = 108 - 8 };

struct hf_unix_socket_params {
    const char *path; /* absolute */
    int type;         /* SOCK_STREAM or SOCK_DGRAM */
    mode_t mode;      /* permissions of the name */
    gid_t gid;        /* group of the name; (gid_t)-1 means the group of the process */
    int backlog;      /* backlog for listen(2); ignored for SOCK_DGRAM */
};

/* Identifies the name that hf_unix_socket_listen() made, so that hf_unix_socket_remove() can recognize it. */
struct hf_unix_socket {
    char path[HF_UNIX_SOCKET_PATH];
    dev_t device;
    ino_t inode;
};

/* Makes the socket. To end it, the caller closes *ret_fd and then calls hf_unix_socket_remove(). The folder of `path`
 * must exist. Errors: -ENAMETOOLONG; -EPERM if a user other than root and the user of this process may change the
 * folder, or if `path` is a socket of another user; -EEXIST if `path` exists and is not a socket; -EADDRINUSE if a
 * process listens on `path`; other errors of the system calls. */
HF_MUST_USE int hf_unix_socket_listen(const struct hf_unix_socket_params *params, int *ret_fd,
                                      struct hf_unix_socket *ret_socket, struct hf_err *err);

/* Removes the name if it still leads to the socket that hf_unix_socket_listen() made. Does nothing if `path` is "". */
void hf_unix_socket_remove(struct hf_unix_socket *socket);
