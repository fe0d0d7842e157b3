/* SPDX-License-Identifier: Apache-2.0 */
#include "update/install/metadata.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"

enum { MAX_NAMES = 64 * 1024, MAX_VALUE = 64 * 1024 }; /* the kernel's XATTR_LIST_MAX and XATTR_SIZE_MAX */

static int lost(struct hf_failure *failure, int r, const char *what)
{
    (void)hf_failure_sys(failure, r, "keep %s", what);
    if (r == -EPERM || r == -EACCES || r == -EOPNOTSUPP)
        failure->reason = HF_R_OwnershipLost;
    return r;
}

static bool belongs_to_content(const char *name)
{
    return strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0;
}

/* True if the file has this value already: labels set by the system's policy need no rights then. */
static bool has_value(const struct hf_fs_ops *fs, int fd, const char *name, const char *value, ssize_t n, char *room)
{
    return fs->fgetxattr(fs->ctx, fd, name, room, MAX_VALUE) == n && memcmp(room, value, (size_t)n) == 0;
}

static int copy_xattr(const struct hf_fs_ops *fs, int old_fd, int fd, const char *name, char *value,
                      struct hf_failure *failure)
{
    ssize_t n = fs->fgetxattr(fs->ctx, old_fd, name, value, MAX_VALUE);

    if (n == -ENODATA)
        return 0;
    if (n < 0)
        return lost(failure, (int)n, name);
    if (has_value(fs, fd, name, value, n, value + MAX_VALUE))
        return 0;
    int r = fs->fsetxattr(fs->ctx, fd, name, value, (size_t)n);
    return r < 0 ? lost(failure, r, name) : 0;
}

static int copy_xattrs(const struct hf_fs_ops *fs, int old_fd, int fd, struct hf_failure *failure)
{
    _cleanup_(hf_freep) char *names = malloc(MAX_NAMES), *values = malloc(2 * MAX_VALUE);

    if (names == NULL || values == NULL)
        return hf_failure_sys(failure, -ENOMEM, "keep attributes");
    ssize_t n = fs->flistxattr(fs->ctx, old_fd, names, MAX_NAMES);
    if (n == -EOPNOTSUPP)
        return 0;
    if (n < 0)
        return lost(failure, (int)n, "attributes");
    for (const char *name = names; name < names + n; name += strlen(name) + 1) {
        int r = belongs_to_content(name) ? 0 : copy_xattr(fs, old_fd, fd, name, values, failure);
        if (r < 0)
            return r;
    }
    return 0;
}

int hf_metadata_copy(const struct hf_fs_ops *fs, int old_fd, int fd, const struct hf_rights *rights,
                     struct hf_failure *failure)
{
    /* Before the attributes, which may make the file immutable. */
    int r = hf_rights_set(fs, fd, rights, failure);

    return r < 0 || old_fd < 0 ? r : copy_xattrs(fs, old_fd, fd, failure);
}
