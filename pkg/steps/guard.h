/* SPDX-License-Identifier: Apache-2.0 */
/* Refuses folders in which another user could rename files, so that a name means another file after a check. Workers
 * only; blocks. */
#pragma once

#include "base/fs.h"
#include "steps/failure.h"

/* Root or `uid` must own the folder, and neither group nor others may write it. `path` is for messages. -EACCES with
 * TargetUnsafe. */
HF_MUST_USE int hf_guard_folder(const struct hf_fs_ops *fs, int fd, uid_t uid, const char *path,
                                struct hf_failure *failure);

/* Checks the folders above in the same way: those named in `path`, and up to 64 real parents of `fd`, to which `path`
 * leads (symbolic links may make them differ). Only a sticky folder such as /tmp may be writable, since others cannot
 * rename another user's entries there. */
HF_MUST_USE int hf_guard_above(const struct hf_fs_ops *fs, int fd, uid_t uid, const char *path,
                               struct hf_failure *failure);
