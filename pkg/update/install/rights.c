/* SPDX-License-Identifier: Apache-2.0 */
#include "update/install/rights.h"

#include <errno.h>

bool hf_rights_load(const struct hf_fs_ops *fs, const char *records, const char *const *versions, size_t n,
                    struct hf_rights *ret_rights)
{
    struct stat st;

    for (size_t i = 0; records != NULL && i < n; i++) {
        const struct hf_install_manifest manifest = {fs, records, versions[i]};
        if (versions[i] == NULL || versions[i][0] == '\0' || hf_install_manifest_read_file(&manifest, &st) < 0)
            continue;
        *ret_rights = (struct hf_rights){st.st_mode & 07777, st.st_uid, st.st_gid};
        return true;
    }
    return false;
}

struct hf_rights hf_rights_adopt(const struct stat *st)
{
    unsigned drop = (st->st_mode & S_IWOTH) != 0 ? S_IWOTH | S_ISUID | S_ISGID : 0;

    return (struct hf_rights){st->st_mode & 07777 & ~drop, st->st_uid, st->st_gid};
}

bool hf_rights_match(const struct hf_rights *rights, const struct stat *st)
{
    return (st->st_mode & 07777) == rights->mode && st->st_uid == rights->uid && st->st_gid == rights->gid;
}

int hf_rights_set(const struct hf_fs_ops *fs, int fd, const struct hf_rights *rights, struct hf_failure *failure)
{
    struct stat st;
    int r = fs->fstat(fs->ctx, fd, &st);

    if (r == 0 && (st.st_uid != rights->uid || st.st_gid != rights->gid))
        r = fs->fchown(fs->ctx, fd, rights->uid, rights->gid);
    if (r == 0)
        r = fs->fchmod(fs->ctx, fd, rights->mode);
    if (r == 0)
        return 0;
    (void)hf_failure_sys(failure, r, "restore owner and mode");
    if (r == -EPERM || r == -EACCES)
        failure->reason = HF_R_OwnershipLost;
    return r;
}
