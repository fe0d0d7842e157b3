/* SPDX-License-Identifier: Apache-2.0 */
/* Lets the group `holdfast` pass through the state folder, which only root may enter, to the audit log, but not list
 * it, by a POSIX ACL. Threads: any; functions with `fs` block. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"

#define HF_AUDIT_GROUP "holdfast"

enum { HF_AUDIT_ACL_BYTES = 44 };

/* Returns the id of group `name` in the text of /etc/group; 0: none, or no valid number. Pure. */
gid_t hf_audit_group_of(struct hf_view text, const char *name);

/* Makes the value of system.posix_acl_access: owner rwx, `group` x, others none. Pure. */
void hf_audit_acl(gid_t group, unsigned char acl[HF_AUDIT_ACL_BYTES]);

/* Sets this ACL on `dir`, but only if its mode is 0700. -errno: `dir` cannot be opened, or its ACL not set. */
HF_MUST_USE int hf_audit_let_pass(const struct hf_fs_ops *fs, const char *dir, gid_t group, struct hf_err *err);
