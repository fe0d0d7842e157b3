/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/export.h - delivers to a folder in place of the network (--export DIR), as a table of HTTP functions.
 *
 *     <folder>/<node>/<host of the sink>/<stream>-<first>-<last>.http     (export_file.h)
 *
 * The folder is usually on a medium that somebody pulls and carries away. It is never made: while it is absent, every
 * request ends with -ECONNREFUSED, so nothing lands on the disk below a mount point. A request ends with status 200
 * once its file is durable, under a name that its key gives; so a request that is repeated, here or on another medium,
 * is the same file. What is on the medium is foreign: no link on it is followed. Threads: loop thread; jobs that may
 * hang write the files. */
#pragma once

#include "base/fs.h"
#include "loop/http/http.h"
#include "loop/sched.h"

struct hf_export;

/* Copies `folder` and `node`. */
struct hf_export *hf_export_new(const struct hf_fs_ops *fs, const struct hf_sched_ops *sched, const char *folder,
                                const char *node);
/* Requests in progress end without a call to `done`. Accepts NULL. */
void hf_export_free(struct hf_export *export);

const struct hf_http_ops *hf_export_http(struct hf_export *export);

/* A file of the medium: <folder>/<node>/<subfolder>/<name>; `subfolder` "": <folder>/<node>/<name>. */
struct hf_export_path {
    const char *folder, *node, *subfolder, *name;
};

/* Writes the file, durable, in place of an earlier one. -ECONNREFUSED: <folder> is absent. Blocks; any thread. */
HF_MUST_USE int hf_export_write(const struct hf_fs_ops *fs, const struct hf_export_path *path, struct hf_view text,
                                struct hf_err *err);
