/* SPDX-License-Identifier: Apache-2.0 */
/* The table of tags with its file, which a worker writes whenever the table changes. */
#pragma once

#include "base/log.h"
#include "loop/sched.h"
#include "mirror/tags.h"

struct hf_fs_ops;

struct hf_mirror_tags_file_params {
    const struct hf_sched_ops *sched;
    const struct hf_fs_ops *fs;
    struct hf_log *log; /* may be NULL */
    const char *path;   /* copied; its folder exists */
};

struct hf_mirror_tags_file;
/* With what the file has; what it lost is learnt again. */
struct hf_mirror_tags_file *hf_mirror_tags_file_new(const struct hf_mirror_tags_file_params *params);
/* A worker may still write what was put before. */
void hf_mirror_tags_file_free(struct hf_mirror_tags_file *file);
/* As hf_mirror_tags_put(); a tag that does not fit in memory is not remembered. */
void hf_mirror_tags_file_put(struct hf_mirror_tags_file *file, const struct hf_mirror_request *request,
                             const char *sha256, uint64_t now_unix_s);
const struct hf_mirror_tags *hf_mirror_tags_file_get(const struct hf_mirror_tags_file *file);
