/* SPDX-License-Identifier: Apache-2.0 */
/* Binds a Unix datagram socket to a path, and harms no other's. Threads: loop thread only; blocks briefly. */
#pragma once

#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

struct hf_socket_name {
    int folder; /* -1: none */
    char *name; /* last part */
    dev_t dev;
    ino_t ino;
    const struct hf_fs_ops *fs; /* of the record; borrowed */
    char *record;
};

#define HF_SOCKET_NAME_INIT                                                                                            \
    {                                                                                                                  \
        .folder = -1                                                                                                   \
    }

/* `fs` is for the record only, and valid until done. Removes a socket at `path` only if no process is bound to it, it
 * is this user's, and the record has its inode. Call done also after a failure.
 *
 * -EADDRINUSE: a process is, or may be, bound. -EPERM: another user's, or not in the record. -EEXIST: not a socket.
 * -ENAMETOOLONG: the last part. -ENOENT: no folder. Others come from system calls. */
HF_MUST_USE int hf_socket_name_take(struct hf_socket_name *name, int fd, const char *path, mode_t mode,
                                    const struct hf_fs_ops *fs, const char *record, struct hf_err *err);

/* The record; the socket if it is still under this name. */
void hf_socket_name_done(struct hf_socket_name *name);
