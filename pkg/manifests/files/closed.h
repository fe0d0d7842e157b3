/* SPDX-License-Identifier: Apache-2.0 */
/* Folders and files of the node that no entry may reach, by any name. Good for one attempt or look. Threads: workers;
 * hf_closed_find() blocks. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "manifests/files/walk.h"

enum { HF_CLOSED_MAX = 16 };

struct hf_closed;

/* `folders`: paths, up to NULL or HF_CLOSED_MAX, on the host and for this process; "" closes nothing. `reserved`: also
 * closes components that begin with ".holdfast-", in the path and on the file system. */
HF_MUST_USE int hf_closed_find(const struct hf_fs_ops *fs, const char *host_root, const char *const *folders,
                               bool reserved, struct hf_closed **ret_closed, struct hf_err *err);
void hf_closed_free(struct hf_closed *closed);
HF_DEFINE_CLEANUP(struct hf_closed, hf_closed_free)

/* From here `closed` may be NULL: nothing is closed. The closed folder at or above `path` (absolute, normal, without
 * links, on the host), ".holdfast-*" for a reserved component, or NULL. */
const char *hf_closed_by_path(const struct hf_closed *closed, const char *path);
/* Closed folders and files that exist, for a walk. */
const struct hf_files_id *hf_closed_ids(const struct hf_closed *closed, size_t *ret_n);
bool hf_closed_is_mount_point(const struct hf_closed *closed, const char *path);
