/* kube/folder/folder_status.h - what would be written to an API, kept as files: <dir>/<kind>-<name>.json. Private to pkg/kube.
 * Blocks: runs on a worker. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

enum { HF_STATUS_MAX_BYTES = 1 << 20 };

/* Merge `body` into the file as an API server would: the status subresource is the `status` field, everything else the rest.
 * A file that would not change is not written; a damaged one is replaced. In *ret_object what the file holds now. */
HF_MUST_USE int hf_status_write(const struct hf_fs_ops *fs, const char *dir, const json_t *body,
                                const char *subresource, json_t **ret_object, struct hf_err *err);
