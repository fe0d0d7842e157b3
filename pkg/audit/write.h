/* SPDX-License-Identifier: Apache-2.0 */
/* audit/write.h - writes segments so that a power cut cannot damage lines that are durable.
 *
 * A power cut leaves a sector that is being written with its old content, its new content, or neither. So nothing here
 * writes into a sector with durable lines: an append begins at a new one, a replacement writes another file. The kernel
 * does write whole blocks, mostly 4 KiB: durable lines in the first block of an append are written again as they are. A
 * disk that damages the whole block damages them, and hf_audit_log_open() and audit/check.h find that.
 *
 * All functions block. Threads: any, one call at a time for a folder. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

enum {
    HF_AUDIT_SECTOR = 512, /* the smallest sector of disks */
    HF_AUDIT_NO_GROUP = 0, /* only root may read the log */
};

struct hf_audit_place {
    const struct hf_fs_ops *fs; /* borrowed */
    const char *dir;            /* folder of the log; borrowed */
    gid_t group;                /* may read the log, or HF_AUDIT_NO_GROUP */
};

/* Makes the folder if it is missing, and gives it to the group; 0 even if the group cannot be set. */
HF_MUST_USE int hf_audit_write_folder(const struct hf_audit_place *place, struct hf_err *err);

/* Writes durably at `offset`, a multiple of HF_AUDIT_SECTOR. is_new: makes the file first. -ENOENT: there is no file,
 * or no folder. Others: the segment may have some of the bytes from `offset` on; call again. */
HF_MUST_USE int hf_audit_write_append(const struct hf_audit_place *place, uint64_t first, bool is_new, uint64_t offset,
                                      const void *bytes, size_t n, struct hf_err *err);

/* Durably replaces the whole segment: after -errno or a power cut it has its old content or the new one. */
HF_MUST_USE int hf_audit_write_replace(const struct hf_audit_place *place, uint64_t first, const void *bytes, size_t n,
                                       struct hf_err *err);

/* Removes what a power cut during hf_audit_write_replace() may have left. */
void hf_audit_write_forget(const struct hf_audit_place *place);
