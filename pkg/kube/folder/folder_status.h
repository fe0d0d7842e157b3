/* SPDX-License-Identifier: Apache-2.0 */
/* kube/folder/folder_status.h - writes objects to files <dir>/<kind>-<name>.json; with other sources, these objects go
 * to an API server. Private to pkg/kube.
 *
 * Threads: any; the function blocks, so call it on a worker. The function has no state. Errors: it returns 0, or -errno
 * with the reason in *err. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

enum { HF_FOLDER_STATUS_MAX_BYTES = 1 << 20 };

/* Merges `body` into the file, and keeps `status` apart as an API server does. A write to the subresource "status"
 * replaces the field `status`; any other write replaces all fields except `status`. Writes the file only if its content
 * changes. Replaces a damaged file. Sets *ret_object to the new content of the file. If there is no usable file yet, a
 * write to "status" writes the whole of `body`. -EINVAL: kind or name cannot be part of a file name. -E2BIG: the new
 * content is larger than HF_FOLDER_STATUS_MAX_BYTES. */
HF_MUST_USE int hf_folder_status_write(const struct hf_fs_ops *fs, const char *dir, const json_t *body,
                                       const char *subresource, json_t **ret_object, struct hf_err *err);
