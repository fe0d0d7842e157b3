/* os/socket/unix_socket.h - a listening Unix socket with a name in the file system.
 *
 * The name appears by rename(2), with its final mode and group, and when the socket already listens. It never replaces
 * anything but the socket of an earlier process of the same user that nobody listens on any more.
 *
 * Threads: any. */
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/macros.h"

enum { HF_UNIX_SOCKET_PATH = 108 - 8 }; /* bytes of a path with its end; the temporary name is longer */

struct hf_unix_socket_params {
    const char *path; /* absolute */
    int type;         /* SOCK_STREAM or SOCK_DGRAM */
    mode_t mode;      /* permissions of the name */
    gid_t gid;        /* group of the name; (gid_t)-1: that of the process */
    int backlog;      /* of listen(2); not for SOCK_DGRAM */
};

/* The name that we made, to find it again. */
struct hf_unix_socket {
    char path[HF_UNIX_SOCKET_PATH];
    dev_t device;
    ino_t inode;
};

/* Makes the socket; the caller closes *ret_fd and then calls hf_unix_socket_remove(). The folder must exist.
 * Errors: -ENAMETOOLONG; -EPERM if somebody else than root and this user may change the folder, or the name is a socket
 * of another user; -EEXIST if the name is no socket; -EADDRINUSE if a process listens on it; others from the kernel. */
HF_MUST_USE int hf_unix_socket_listen(const struct hf_unix_socket_params *params, int *ret_fd,
                                      struct hf_unix_socket *ret_socket, struct hf_err *err);

/* Removes the name if it still is the socket that hf_unix_socket_listen() made. Does nothing if `path` is "". */
void hf_unix_socket_remove(struct hf_unix_socket *socket);
