/* SPDX-License-Identifier: Apache-2.0 */
/* Binds a Unix datagram socket to a path without harm to sockets of others. A record file has the inode of our last
 * socket. Blocks briefly. */
#pragma once

#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

struct hf_socket_name {
    int folder;
    char *name;
    dev_t dev;
    ino_t ino;
    const struct hf_fs_ops *fs;
    char *record;
};

#define HF_SOCKET_NAME_INIT                                                                                            \
    {                                                                                                                  \
        .folder = -1                                                                                                   \
    }

/* Binds `fd` to `path`, in place of an earlier socket of the agent. Borrows `fs`; call _done also after a failure.
 *
 * -EADDRINUSE: a process is, or may be, bound. -EPERM: the socket is another user's, or not in the record. -EEXIST:
 * something else is there. -ENAMETOOLONG: the path or its last part is too long. -ENOENT: no folder. */
HF_MUST_USE int hf_socket_name_take(struct hf_socket_name *name, int fd, const char *path, mode_t mode,
                                    const struct hf_fs_ops *fs, const char *record, struct hf_err *err);

/* If bound, removes the record, and the socket if it still has this name. */
void hf_socket_name_done(struct hf_socket_name *name);
