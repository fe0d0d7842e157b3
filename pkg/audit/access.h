/* SPDX-License-Identifier: Apache-2.0 */
/* audit/access.h - lets the group `holdfast` reach the audit log inside the state folder, which otherwise only root may
 * enter.
 *
 * The state folder gets an access control list (POSIX ACL) with an entry that lets only this group pass through the
 * folder. Other ways are worse: with mode 0711, every user could pass, and systemd would undo a change of the folder's
 * owner, because the folder is a StateDirectory. The right to pass is not a right to list the folder, and the other
 * files in the folder keep their modes. Threads: any; the functions block. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"

#define HF_AUDIT_GROUP "holdfast"

enum { HF_AUDIT_ACL_BYTES = 44 };

/* Returns the number of group `name` in the text of a file /etc/group, or 0 if the text has no such group or if the
 * number is 0 or is not valid. Pure. */
gid_t hf_audit_group_of(struct hf_view text, const char *name);

/* Formats the value of the attribute system.posix_acl_access: owner rwx, group none, others none, and x for `group`.
 * Pure. */
void hf_audit_acl(gid_t group, unsigned char acl[HF_AUDIT_ACL_BYTES]);

/* Lets `group` pass through the folder `dir`, if the folder has mode 0700. Leaves a folder with another mode as it is
 * and returns 0, because somebody chose that mode. Errors: -errno if the folder cannot be opened, the file system has
 * no access control lists, or the process lacks the right. */
HF_MUST_USE int hf_audit_let_pass(const struct hf_fs_ops *fs, const char *dir, gid_t group, struct hf_err *err);
