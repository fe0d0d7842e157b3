/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/source/socket_name.h - binds a Unix datagram socket to a name in the file system, without harm to sockets
 * of other processes, and later removes the name.
 *
 * All calls go through a descriptor of the folder, so that nobody can replace the folder between two calls. The socket
 * gets its mode under a temporary name, so nobody sees it with another mode. A file (the record) holds the inode of the
 * socket, so that the agent recognizes the socket that a killed process of the agent left behind.
 *
 * Threads: loop thread only; the functions block for a moment. Memory: the struct owns its descriptor and its texts. */
#pragma once

#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

struct hf_socket_name {
    int folder; /* descriptor of the folder of the socket (-1 means that the struct holds no socket) */
    char *name; /* last part of the path */
    dev_t dev;
    ino_t ino;
    const struct hf_fs_ops *fs; /* file system of the record; borrowed */
    char *record;
};

#define HF_SOCKET_NAME_INIT                                                                                            \
    {                                                                                                                  \
        .folder = -1                                                                                                   \
    }

/* Binds the datagram socket `fd` to `path` with `mode`. `record` is the path of the record. `fs` is the file system of
 * the record only, and must stay valid until hf_socket_name_done(). Removes a socket that already exists at `path` if
 * three conditions hold: no process is bound to the socket, the socket belongs to the user of this process, and the
 * record holds the socket's inode. Initialize *name with HF_SOCKET_NAME_INIT, and call hf_socket_name_done() also after
 * a failure.
 *
 * Returns 0 or -errno. -EADDRINUSE: a process is, or may be, bound to the socket at `path`. -EPERM: no process is bound
 * to the socket at `path`, but it belongs to another user, or the record does not hold its inode. -EEXIST: `path` is
 * not a socket. -ENAMETOOLONG: the last part of `path` is too long for a socket. -ENOENT: the folder does not exist.
 * Other codes are errors of the system calls. */
HF_MUST_USE int hf_socket_name_take(struct hf_socket_name *name, int fd, const char *path, mode_t mode,
                                    const struct hf_fs_ops *fs, const char *record, struct hf_err *err);

/* Removes the record. Removes the socket from its folder, if the folder still has this socket under this name. Frees
 * the content of *name. */
void hf_socket_name_done(struct hf_socket_name *name);
