/* SPDX-License-Identifier: Apache-2.0 */
/* <dir>/<kind>-<name>.json, as an API server's. Threads: any; blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

/* "status" replaces `status` (without a usable file: all), else all other fields. Writes changes only; replaces a
 * damaged file. -EINVAL: no file name. -E2BIG. */
HF_MUST_USE int hf_folder_status_write(const struct hf_fs_ops *fs, const char *dir, const json_t *body,
                                       const char *subresource, json_t **ret_object, struct hf_err *err);
