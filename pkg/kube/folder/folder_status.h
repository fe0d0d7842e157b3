/* SPDX-License-Identifier: Apache-2.0 */
/* Writes <dir>/<kind>-<name>.json as an API server would. Threads: any; blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

/* `subresource` "status" replaces `status` (without a usable file: all fields), NULL all others. Writes only changes.
 * -EINVAL: kind or name is no file name. -E2BIG. */
HF_MUST_USE int hf_folder_status_write(const struct hf_fs_ops *fs, const char *dir, const json_t *body,
                                       const char *subresource, json_t **ret_object, struct hf_err *err);
