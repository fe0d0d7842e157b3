/* update/install/guard.h - refuses folders in which another user could swap files while the agent works there.
 *
 * A user who may write a folder may rename the files in it. So a check of a file in such a folder is useless, because a
 * moment later the name may belong to another file. Threads: worker threads only; all functions block. */
#pragma once

#include "base/fs.h"
#include "update/rules/failure.h"

/* Checks that root or `uid` owns the open folder, and that neither group nor others may write it. `path` is the name
 * for messages. -EACCES with the reason TargetUnsafe: the folder breaks this rule. */
HF_MUST_USE int hf_guard_folder(const struct hf_fs_ops *fs, int fd, uid_t uid, const char *path,
                                struct hf_failure *failure);

/* Checks all parent folders of `path`, up to the root, by the rule of hf_guard_folder(). There is one exception: a
 * sticky folder such as /tmp may be writable for others, because in it no user can rename the entries of another user.
 * `fd` is the open folder to which `path` leads. If `path` contains symbolic links, the function checks both the
 * folders that the text of `path` names and the parent folders of `fd` itself. */
HF_MUST_USE int hf_guard_above(const struct hf_fs_ops *fs, int fd, uid_t uid, const char *path,
                               struct hf_failure *failure);
