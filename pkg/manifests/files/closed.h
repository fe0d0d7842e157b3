/* SPDX-License-Identifier: Apache-2.0 */
/* Folders and files of the node that no entry may reach, by any name. A result is good for one attempt or look.
 * Threads: workers. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "manifests/files/walk.h"

enum { HF_CLOSED_MAX = 16 };

struct hf_closed;

/* Finds the closed paths; blocks. `folders`: absolute paths, up to NULL or HF_CLOSED_MAX, each closed as the host and
 * as this process sees it. `reserved`: closes names that begin with ".holdfast-", too. */
HF_MUST_USE int hf_closed_find(const struct hf_fs_ops *fs, const char *host_root, const char *const *folders,
                               bool reserved, struct hf_closed **ret_closed, struct hf_err *err);
void hf_closed_free(struct hf_closed *closed);
HF_DEFINE_CLEANUP(struct hf_closed, hf_closed_free)

/* Returns the closed folder at or above `path` (on the host; absolute, normal, without links), ".holdfast-*" for a
 * reserved name, or NULL. Here and below a NULL `closed` closes nothing. */
const char *hf_closed_by_path(const struct hf_closed *closed, const char *path);
const struct hf_files_id *hf_closed_ids(const struct hf_closed *closed, size_t *ret_n);
bool hf_closed_is_mount_point(const struct hf_closed *closed, const char *path);
