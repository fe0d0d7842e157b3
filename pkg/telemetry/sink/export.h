/* SPDX-License-Identifier: Apache-2.0 */
/* Delivers to a folder (--export DIR) on a medium to carry away, in place of the network:
 *   <folder>/<node>/<host of the sink>/<stream>-<first>-<last>.http     (export_file.h)
 * The folder is never made: without it requests end with -ECONNREFUSED. Status 200 means that the file is durable.
 * A repeated request writes the same file, even to another medium. Threads: loop thread; jobs write, because a medium
 * may hang. */
#pragma once

#include "base/fs.h"
#include "loop/http/http.h"
#include "loop/sched.h"

struct hf_export;

struct hf_export *hf_export_new(const struct hf_fs_ops *fs, const struct hf_sched_ops *sched, const char *folder,
                                const char *node);
/* Running requests end without `done`. */
void hf_export_free(struct hf_export *export);

const struct hf_http_ops *hf_export_http(struct hf_export *export);

struct hf_export_path {
    const char *folder, *node, *subfolder, *name;
};

/* Writes a file durably, replacing an old one. -ECONNREFUSED: no <folder>. Blocks; any thread. */
HF_MUST_USE int hf_export_write(const struct hf_fs_ops *fs, const struct hf_export_path *path, struct hf_view text,
                                struct hf_err *err);
