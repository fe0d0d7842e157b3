/* SPDX-License-Identifier: Apache-2.0 */
/* Writes segments so that power cuts cannot damage durable lines. Blocks. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

enum {
    HF_AUDIT_SECTOR = 512, /* bytes of the smallest disk sector */
    HF_AUDIT_NO_GROUP = 0,
};

struct hf_audit_place {
    const struct hf_fs_ops *fs;
    const char *dir;
    gid_t group; /* group that may read, or HF_AUDIT_NO_GROUP */
};

/* Makes a missing folder, and gives it to the group; 0 even if only that fails. */
HF_MUST_USE int hf_audit_write_folder(const struct hf_audit_place *place, struct hf_err *err);

/* Writes durably. `offset`: a multiple of HF_AUDIT_SECTOR; is_new: makes the file. -ENOENT: no file or folder. Others:
 * bytes from `offset` may be written; call again. */
HF_MUST_USE int hf_audit_write_append(const struct hf_audit_place *place, uint64_t first, bool is_new, uint64_t offset,
                                      const void *bytes, size_t n, struct hf_err *err);

/* Replaces the segment durably: it always has the old content or the new. */
HF_MUST_USE int hf_audit_write_replace(const struct hf_audit_place *place, uint64_t first, const void *bytes, size_t n,
                                       struct hf_err *err);

void hf_audit_write_forget(const struct hf_audit_place *place);
