/* SPDX-License-Identifier: Apache-2.0 */
/* <dir>/<kind>-<name>.json for what otherwise goes to an API server. Private to pkg/kube. Threads: any; blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

/* "status" replaces the field `status` (without a usable file: all of `body`), another write all other fields. Writes a
 * change only; replaces a damaged file. *ret_object: the new content. -EINVAL: no file name. -E2BIG. */
HF_MUST_USE int hf_folder_status_write(const struct hf_fs_ops *fs, const char *dir, const json_t *body,
                                       const char *subresource, json_t **ret_object, struct hf_err *err);
