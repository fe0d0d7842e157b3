/* SPDX-License-Identifier: Apache-2.0 */
/* steps/guard.h - refuses folders in which another user could swap files while the agent works there.
 *
 * A user who may write a folder may also rename the files in this folder. If the agent checks a file there, the name of
 * the file may belong to another file a moment later. Threads: worker threads only; all functions block. */
#pragma once

#include "base/fs.h"
#include "steps/failure.h"

/* Checks that root or `uid` owns the open folder, and that neither group nor others may write it. `path` is the name of
 * the folder for messages. -EACCES with the reason TargetUnsafe: the owner or the permissions are wrong. */
HF_MUST_USE int hf_guard_folder(const struct hf_fs_ops *fs, int fd, uid_t uid, const char *path,
                                struct hf_failure *failure);

/* Checks owner and permissions of all parent folders of `path`, up to "/", as hf_guard_folder() does. There is one
 * exception: a sticky folder such as /tmp may be writable for others, because no user can rename another user's entries
 * in a sticky folder. `fd` is the open folder to which `path` leads. If `path` contains symbolic links, the function
 * checks both the folders that the text of `path` names and the parent folders of `fd` itself. */
HF_MUST_USE int hf_guard_above(const struct hf_fs_ops *fs, int fd, uid_t uid, const char *path,
                               struct hf_failure *failure);
