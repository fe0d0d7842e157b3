/* SPDX-License-Identifier: Apache-2.0 */
/* Writes <dir>/<kind>-<name>.json as an API server would. Threads: any; blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

/* `subresource` "status": replaces the field `status`, or everything if no file is usable; NULL: replaces all other
 * fields. Writes only changes. -EINVAL: kind or name cannot be a file name. -E2BIG. */
HF_MUST_USE int hf_folder_status_write(const struct hf_fs_ops *fs, const char *dir, const json_t *body,
                                       const char *subresource, json_t **ret_object, struct hf_err *err);
