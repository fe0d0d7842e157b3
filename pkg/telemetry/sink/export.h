/* SPDX-License-Identifier: Apache-2.0 */
/* Delivers to a folder (--export DIR) in place of the network, behind a table of HTTP functions:
 *   <folder>/<node>/<host of the sink>/<stream>-<first>-<last>.http     (export_file.h)
 * On a medium to carry away. The folder is never made: without it requests end with -ECONNREFUSED, and
 * nothing lands below a mount point. 200: the file is durable; the key names it, so a repetition, here or on
 * another medium, is the same file. Follows no link there. Threads: loop thread; jobs that may hang
 * write. */
#pragma once

#include "base/fs.h"
#include "loop/http/http.h"
#include "loop/sched.h"

struct hf_export;

/* Copies names. */
struct hf_export *hf_export_new(const struct hf_fs_ops *fs, const struct hf_sched_ops *sched, const char *folder,
                                const char *node);
/* Without `done`. */
void hf_export_free(struct hf_export *export);

const struct hf_http_ops *hf_export_http(struct hf_export *export);

/* `subfolder` may be "". */
struct hf_export_path {
    const char *folder, *node, *subfolder, *name;
};

/* Durable; replaces. -ECONNREFUSED: no <folder>. Blocks; any thread. */
HF_MUST_USE int hf_export_write(const struct hf_fs_ops *fs, const struct hf_export_path *path, struct hf_view text,
                                struct hf_err *err);
