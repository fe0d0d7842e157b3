/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/access.h"

#include <check.h>
#include <string.h>

#include "support/check_main.h"
#include "support/fakes/simfs.h"

static const struct {
    const char *text;
    gid_t want;
} groups[] = {
    {"", 0},
    {"root:x:0:\nholdfast:x:977:ann,bob\n", 977},
    {"holdfast:x:977", 977},
    {"holdfast:x:0:\n", 0}, /* the group of root gives nothing away, and needs no entry */
    {"holdfast:x:-1:\n", 0},
    {"holdfast:x:4294967295:\n", 0},
    {"holdfast:x:99999999999999999999:\n", 0},
    {"holdfast\nholdfast2:x:5:\n", 0},
    {"#holdfast:x:5:\n", 0},
    {"holdfast:x\n", 0},
    {"holdfast:x:5 :\n", 0},
};

START_TEST(group_is_found)
{
    ck_assert_msg(hf_audit_group_of(hf_view_of(groups[_i].text), "holdfast") == groups[_i].want, "%s", groups[_i].text);
}
END_TEST

static const struct {
    mode_t mode;
    bool passes;
} modes[] = {{0700, true}, {0755, false}, {0750, false}, {0711, false}};

START_TEST(only_a_private_folder_changes)
{
    struct hf_simfs *fs = hf_simfs_new();
    const struct hf_fs_ops *ops = hf_simfs_ops(fs);
    unsigned char acl[64] = {0}, want[HF_AUDIT_ACL_BYTES];

    hf_simfs_mkdir(fs, "/state", modes[_i].mode);
    ck_assert_int_eq(hf_audit_let_pass(ops, "/state", 977, NULL), 0);
    int fd = ops->openat(ops->ctx, -100, "/state", 0, 0, HF_FS_ANY);
    ssize_t n = ops->fgetxattr(ops->ctx, fd, "system.posix_acl_access", acl, sizeof(acl));
    (void)ops->close(ops->ctx, fd);
    ck_assert_int_eq(n == HF_AUDIT_ACL_BYTES, modes[_i].passes);
    hf_audit_acl(977, want);
    if (modes[_i].passes)
        ck_assert_mem_eq(acl, want, sizeof(want));
    hf_simfs_free(fs);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, group_is_found, 0, HF_LEN(groups));
    tcase_add_loop_test(tc, only_a_private_folder_changes, 0, HF_LEN(modes));
}

HF_TEST_MAIN("audit/access", cases)
