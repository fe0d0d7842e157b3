/* SPDX-License-Identifier: Apache-2.0 */
/* Refuses folders in which another user could swap files: who may write a folder may rename its files, so a name may
 * mean another file after a check. Workers only; blocks. */
#pragma once

#include "base/fs.h"
#include "steps/failure.h"

/* Root or `uid` must own the folder, and neither group nor others may write it. `path` is for messages. -EACCES with
 * TargetUnsafe. */
HF_MUST_USE int hf_guard_folder(const struct hf_fs_ops *fs, int fd, uid_t uid, const char *path,
                                struct hf_failure *failure);

/* Checks all parents of `path` in the same way; only a sticky folder such as /tmp may be writable, since others cannot
 * rename another user's entries there. `fd`: where `path` leads. Checks the folders in `path` and the real parents of
 * `fd`: symbolic links may make them differ. */
HF_MUST_USE int hf_guard_above(const struct hf_fs_ops *fs, int fd, uid_t uid, const char *path,
                               struct hf_failure *failure);
