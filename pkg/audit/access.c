/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/access.h"

#include <endian.h>
#include <fcntl.h>
#include <string.h>

#include "base/parse.h"

/* linux/posix_acl_xattr.h: version 2, then entries of tag, permission and id. */
enum {
    ACL_VERSION = 2,
    TAG_USER_OBJ = 0x01,
    TAG_GROUP_OBJ = 0x04,
    TAG_GROUP = 0x08,
    TAG_MASK = 0x10,
    TAG_OTHER = 0x20
};
enum { RWX = 7, X = 1, NONE = 0 };

gid_t hf_audit_group_of(struct hf_view text, const char *name)
{
    struct hf_view line, field;
    char digits[16];
    uint64_t number;

    while (hf_view_split(&text, '\n', &line)) {
        if (!hf_view_split(&line, ':', &field) || !hf_view_eq(field, name) || !hf_view_split(&line, ':', &field) ||
            !hf_view_split(&line, ':', &field) || field.n >= sizeof(digits))
            continue;
        memcpy(digits, field.p, field.n);
        digits[field.n] = '\0';
        return hf_parse_u64(digits, 1, UINT32_MAX - 1, &number) == 0 ? (gid_t)number : 0;
    }
    return 0;
}

static unsigned char *put_acl(unsigned char *at, uint16_t tag, uint16_t rights, uint32_t id)
{
    uint16_t tag_le = htole16(tag), rights_le = htole16(rights);
    uint32_t id_le = htole32(id);

    memcpy(at, &tag_le, sizeof(tag_le));
    memcpy(at + 2, &rights_le, sizeof(rights_le));
    memcpy(at + 4, &id_le, sizeof(id_le));
    return at + 8;
}

void hf_audit_acl(gid_t group, unsigned char acl[HF_AUDIT_ACL_BYTES])
{
    uint32_t version = htole32(ACL_VERSION);
    unsigned char *at = acl + sizeof(version);

    memcpy(acl, &version, sizeof(version));
    at = put_acl(at, TAG_USER_OBJ, RWX, UINT32_MAX);
    at = put_acl(at, TAG_GROUP_OBJ, NONE, UINT32_MAX);
    at = put_acl(at, TAG_GROUP, X, group);
    at = put_acl(at, TAG_MASK, X, UINT32_MAX);
    (void)put_acl(at, TAG_OTHER, NONE, UINT32_MAX);
}

int hf_audit_let_pass(const struct hf_fs_ops *fs, const char *dir, gid_t group, struct hf_err *err)
{
    unsigned char acl[HF_AUDIT_ACL_BYTES];
    struct stat st;
    int fd = fs->openat(fs->ctx, AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);

    if (fd < 0)
        return hf_err_sys(err, fd, "open folder '%s'", dir);
    int r = fs->fstat(fs->ctx, fd, &st);
    if (r == 0 && (st.st_mode & 0777) == 0700) {
        hf_audit_acl(group, acl);
        r = fs->fsetxattr(fs->ctx, fd, "system.posix_acl_access", acl, sizeof(acl));
    }
    (void)fs->close(fs->ctx, fd);
    return r < 0 ? hf_err_sys(err, r, "let group %u pass through '%s'", (unsigned)group, dir) : 0;
}
