/* SPDX-License-Identifier: Apache-2.0 */
/* Watches folders for changes (inotify). `fire` never comes before a function returns. */
#pragma once

#include "base/err.h"

struct hf_watch;

struct hf_watch_ops {
    void *ctx;
    /* `fire` comes once for several changes: of an entry in the folder (added, removed, or changed name, content, mode
     * or owner), of the folder itself, or after lost events. -ENOSPC: the kernel's limit of watches. */
    HF_MUST_USE int (*add)(void *ctx, const char *path, void (*fire)(void *arg), void *arg, struct hf_watch **ret_watch,
                           struct hf_err *err);
    void (*remove)(void *ctx, struct hf_watch *watch); /* accepts NULL */
};
