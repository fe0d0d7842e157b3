/* kube/folder/folder_status.h - keeps as files what would be written to an API: <dir>/<kind>-<name>.json. Private to
 * pkg/kube.
 *
 * Threads: blocks, so it runs on a worker; no state. Errors: 0 or -errno, *err says why. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

enum { HF_FOLDER_STATUS_MAX_BYTES = 1 << 20 };

/* Merges `body` into the file as an API server would: the subresource "status" replaces the `status` field, any other
 * write all other fields. Writes only when the content changes; replaces a damaged file. *ret_object: the content of
 * the file now. -EINVAL: kind or name cannot be a file name. */
HF_MUST_USE int hf_folder_status_write(const struct hf_fs_ops *fs, const char *dir, const json_t *body,
                                       const char *subresource, json_t **ret_object, struct hf_err *err);
