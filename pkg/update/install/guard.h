/* update/install/guard.h - refuses folders in which another user could swap files while the agent works there.
 *
 * A user who may write a folder may rename what lies in it. No check of a file holds there, because the file can be
 * another one a moment later. Threads: worker threads only; all functions block. */
#pragma once

#include "base/fs.h"
#include "update/rules/failure.h"

/* Checks the open folder. Root or `uid` must own it, and neither group nor others may write it. -EACCES with
 * TargetUnsafe otherwise. */
HF_MUST_USE int hf_guard_folder(const struct hf_fs_ops *fs, int fd, uid_t uid, const char *path,
                                struct hf_failure *failure);

/* Checks the folders above `path`: as hf_guard_folder(), but a folder that others may write is right if it is sticky,
 * like /tmp, because nobody can then rename the entries of other users there. Checks the folders of the path as it is
 * written, and those in which the folder open as `fd`, to which the path leads, really lies. */
HF_MUST_USE int hf_guard_above(const struct hf_fs_ops *fs, int fd, uid_t uid, const char *path,
                               struct hf_failure *failure);
