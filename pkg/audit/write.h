/* SPDX-License-Identifier: Apache-2.0 */
/* audit/write.h - writes lines to a segment, a file of the audit log, so that a power cut cannot damage lines that are
 * durable.
 *
 * After a power cut, a sector that the disk was writing may have its old content, its new content, or neither. So no
 * function here changes a sector that has durable lines: hf_audit_write_append() begins at a new sector, and
 * hf_audit_write_replace() writes another file, which then takes the place of the segment.
 *
 * The kernel writes whole blocks of a file system, mostly of 4 KiB. So during an append, the kernel also rewrites the
 * durable lines in the first block, with the same content. These lines are safe only if the disk damages no sector
 * (HF_AUDIT_SECTOR bytes) whose content stays the same. If a power cut makes the disk damage the whole block, these
 * lines are damaged too; hf_audit_log_open() and audit/check.h then find the damage.
 *
 * All functions block. Threads: any, but one call at a time for each folder. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

enum {
    HF_AUDIT_SECTOR = 512, /* the smallest sector of disks */
    HF_AUDIT_NO_GROUP = 0, /* value of `group` if only root may read the log */
};

struct hf_audit_place {
    const struct hf_fs_ops *fs; /* borrowed */
    const char *dir;            /* folder of the log; borrowed */
    gid_t group;                /* group that may read the log, or HF_AUDIT_NO_GROUP */
};

/* Makes the folder if it is missing, and gives it to the group. Returns -errno if the folder cannot be made or opened.
 * Returns 0 otherwise, even if the group cannot be set. */
HF_MUST_USE int hf_audit_write_folder(const struct hf_audit_place *place, struct hf_err *err);

/* Writes n bytes durably at `offset`, a multiple of HF_AUDIT_SECTOR, of the segment that begins with entry `first`. If
 * is_new is true, first makes the file. -ENOENT: the file does not exist and is_new is false, or the folder does not
 * exist. Other -errno: the write failed; the segment may have some of the bytes from `offset` on, and the caller may
 * call again. */
HF_MUST_USE int hf_audit_write_append(const struct hf_audit_place *place, uint64_t first, bool is_new, uint64_t offset,
                                      const void *bytes, size_t n, struct hf_err *err);

/* Durably replaces the whole content of the segment that begins with entry `first`. After -errno or a power cut, the
 * segment has either its old content or the new one. */
HF_MUST_USE int hf_audit_write_replace(const struct hf_audit_place *place, uint64_t first, const void *bytes, size_t n,
                                       struct hf_err *err);

/* Removes the file that a power cut during hf_audit_write_replace() may have left. Changes nothing if there is none. */
void hf_audit_write_forget(const struct hf_audit_place *place);
