/* SPDX-License-Identifier: Apache-2.0 */
/* A Unix datagram socket at a path, without harm to others'. Blocks briefly. */
#pragma once

#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

struct hf_socket_name {
    int folder;
    char *name; /* last part of the path */
    dev_t dev;
    ino_t ino;
    const struct hf_fs_ops *fs; /* the record's; borrowed */
    char *record;
};

#define HF_SOCKET_NAME_INIT                                                                                            \
    {                                                                                                                  \
        .folder = -1                                                                                                   \
    }

/* Borrows `fs` until done. Removes a socket at `path` only if no process is bound, it is this user's, and the record
 * has its inode. done also after a failure.
 *
 * -EADDRINUSE: a process is, or may be, bound. -EPERM: another user's, or not in the record. -EEXIST: no socket.
 * -ENAMETOOLONG: the last part. -ENOENT: no folder. Others: system calls'. */
HF_MUST_USE int hf_socket_name_take(struct hf_socket_name *name, int fd, const char *path, mode_t mode,
                                    const struct hf_fs_ops *fs, const char *record, struct hf_err *err);

/* Removes record and socket, if that still has this name. */
void hf_socket_name_done(struct hf_socket_name *name);
