/* SPDX-License-Identifier: Apache-2.0 */
/* loop/watch.h - reports changes in folders (inotify), as a table of functions.
 *
 * Threads: loop thread only. The functions of the table never call `fire` before they return. */
#pragma once

#include "base/err.h"

struct hf_watch;

struct hf_watch_ops {
    void *ctx;
    /* Calls `fire` when an entry directly in the folder was added or removed, when its name, content, mode or owner has
     * changed, when the folder itself has changed, and when the kernel has lost events. Several changes may cause one
     * call. `path` is copied. -ENOSPC: the kernel's limit of watches is reached. -ENOMEM: out of memory, or the kernel
     * gives no inotify descriptor. -ENOENT, -ENOTDIR: there is no such folder. -EACCES: the process may not read the
     * folder. */
    HF_MUST_USE int (*add)(void *ctx, const char *path, void (*fire)(void *arg), void *arg, struct hf_watch **ret_watch,
                           struct hf_err *err);
    void (*remove)(void *ctx, struct hf_watch *watch); /* Ends a watch. Accepts NULL. */
};
