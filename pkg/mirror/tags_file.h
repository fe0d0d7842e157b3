/* SPDX-License-Identifier: Apache-2.0 */
/* The table of tags with its file, which a worker writes after changes. */
#pragma once

#include "base/log.h"
#include "loop/sched.h"
#include "mirror/tags.h"

struct hf_fs_ops;

struct hf_mirror_tags_file_params {
    const struct hf_sched_ops *sched;
    const struct hf_fs_ops *fs;
    struct hf_log *log; /* or NULL */
    const char *path;   /* copied */
};

struct hf_mirror_tags_file;
struct hf_mirror_tags_file *hf_mirror_tags_file_new(const struct hf_mirror_tags_file_params *params);
/* A worker may still be writing the file afterwards. */
void hf_mirror_tags_file_free(struct hf_mirror_tags_file *file);
/* Notes a digest by hf_mirror_tags_put(). Notes nothing without memory. */
void hf_mirror_tags_file_put(struct hf_mirror_tags_file *file, const struct hf_mirror_request *request,
                             const char *sha256, uint64_t now_unix_s);
const struct hf_mirror_tags *hf_mirror_tags_file_get(const struct hf_mirror_tags_file *file);
