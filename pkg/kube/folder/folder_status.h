/* SPDX-License-Identifier: Apache-2.0 */
/* kube/folder/folder_status.h - writes to files <dir>/<kind>-<name>.json what otherwise goes to an API server. Private
 * to pkg/kube. Threads: any; blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

enum { HF_FOLDER_STATUS_MAX_BYTES = 1 << 20 };

/* Merges `body` into the file: subresource "status" replaces the field `status` (without a usable file, writes the
 * whole of `body`), another write all other fields. Writes only a change; replaces a damaged file. *ret_object: the new
 * content. -EINVAL: kind or name cannot be in a file name. -E2BIG: above HF_FOLDER_STATUS_MAX_BYTES. */
HF_MUST_USE int hf_folder_status_write(const struct hf_fs_ops *fs, const char *dir, const json_t *body,
                                       const char *subresource, json_t **ret_object, struct hf_err *err);
