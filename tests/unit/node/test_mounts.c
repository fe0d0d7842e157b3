/* SPDX-License-Identifier: Apache-2.0 */
/* File systems that are read-only, and mounts that are. */
#include "node/mounts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "os/fs_posix.h"
#include "support/check_main.h"

static const char mounts[] =
    "21 1 8:2 / / ro,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro\n"
    "22 21 8:3 / /data rw,noatime master:2 - ext4 /dev/sda3 rw,emergency_ro,errors=remount-ro\n"
    "221 21 8:4 / /media/a\\040b rw - vfat /dev/sdb1 ro,fmask=0022\n"
    "23 21 0:5 / /snap rw shared:3 propagate_from:2 - squashfs /dev/loop0 ro\n"
    "24 21 0:6 / /cut rw shared:4\n"
    "25 21 0:7 / /tmp rw - tmpfs tmpfs rw,size=4k,mode=ro\n"
    "26 21 0:8 / /last rw - tmpfs none";

static const struct {
    unsigned id;
    enum hf_mounts_state want;
} cases[] = {{21, HF_MOUNTS_WRITABLE}, /* the mount is read-only, its file system is not */
             {22, HF_MOUNTS_READ_ONLY}, {221, HF_MOUNTS_READ_ONLY}, {23, HF_MOUNTS_READ_ONLY}, {24, HF_MOUNTS_UNKNOWN},
             {25, HF_MOUNTS_WRITABLE},  {26, HF_MOUNTS_UNKNOWN},    {2, HF_MOUNTS_UNKNOWN}};

START_TEST(states)
{
    ck_assert_int_eq(hf_mounts_of_id(mounts, cases[_i].id), cases[_i].want);
}
END_TEST

START_TEST(nothing_known)
{
    struct hf_probe_root at = {hf_fs_posix(), "/nonexistent"};

    ck_assert_ptr_null(hf_mounts_read(&at));
    ck_assert_int_eq(hf_mounts_of_fd(&at, NULL, 0), HF_MOUNTS_UNKNOWN);
    ck_assert_int_eq(hf_mounts_of_fd(&at, mounts, 0), HF_MOUNTS_UNKNOWN);
    ck_assert_int_eq(hf_mounts_of_id("", 1), HF_MOUNTS_UNKNOWN);
}
END_TEST

/* /proc of this machine, whatever it is: it is always writable. */
START_TEST(this_machine)
{
    struct hf_probe_root at = {hf_fs_posix(), ""};
    char *here = hf_mounts_read(&at);
    int fd = at.fs->openat(at.fs->ctx, AT_FDCWD, "/proc/self", O_RDONLY | O_DIRECTORY, 0, HF_FS_ANY);

    ck_assert_ptr_nonnull(here);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(hf_mounts_of_fd(&at, here, fd), HF_MOUNTS_WRITABLE);
    ck_assert_int_eq(at.fs->close(at.fs->ctx, fd), 0);
    free(here);
}
END_TEST

/* Tables of many lengths, among them those that end where a buffer does. */
START_TEST(long_tables)
{
    static const size_t lengths[] = {100, 16382, 16383, 16384, 16385, 131071, 131072, 400000, (1 << 20) - 1};
    static const char last[] = "7 1 8:2 / /last rw - ext4 /dev/sda2 ro\n";
    char root[] = "/tmp/hf_mounts_XXXXXX", path[100], folder[64];
    struct hf_probe_root at = {hf_fs_posix(), root};
    size_t n = lengths[_i];

    ck_assert_ptr_nonnull(mkdtemp(root));
    (void)snprintf(folder, sizeof(folder), "%s/proc", root);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    (void)snprintf(folder, sizeof(folder), "%s/proc/self", root);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/mountinfo", folder);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < n - (sizeof(last) - 1); i++)
        ck_assert_int_ge(fputc(i % 50 == 49 || i + sizeof(last) == n ? '\n' : 'x', file), 0);
    ck_assert_int_ge(fputs(last, file), 0);
    ck_assert_int_eq(fclose(file), 0);

    char *text = hf_mounts_read(&at);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(strlen(text), n - 1); /* without the last line's end */
    ck_assert_int_eq(hf_mounts_of_id(text, 7), HF_MOUNTS_READ_ONLY);
    free(text);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    (void)snprintf(folder, sizeof(folder), "%s/proc", root);
    ck_assert_int_eq(rmdir(folder), 0);
    ck_assert_int_eq(rmdir(root), 0);
}
END_TEST

static void cases_of(TCase *tc)
{
    tcase_add_loop_test(tc, states, 0, HF_LEN(cases));
    tcase_add_test(tc, nothing_known);
    tcase_add_test(tc, this_machine);
    tcase_add_loop_test(tc, long_tables, 0, 9);
}

HF_TEST_MAIN("node/mounts", cases_of)
