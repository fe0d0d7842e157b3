/* SPDX-License-Identifier: Apache-2.0 */
#include "os/fs_counter.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/check_main.h"

START_TEST(counts_what_is_written)
{
    struct hf_fs_counter a, b;
    char path[] = "/tmp/holdfast-counter-XXXXXX", text[8];
    int made = mkstemp(path);

    ck_assert_int_ge(made, 0);
    ck_assert_int_eq(close(made), 0);
    hf_fs_counter_init(&a);
    hf_fs_counter_init(&b);
    int fd = a.ops.openat(a.ops.ctx, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0, HF_FS_ANY);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(a.ops.pwrite(a.ops.ctx, fd, "hello", 5, 0), 5);
    ck_assert_int_eq(a.ops.pwrite(a.ops.ctx, fd, "you", 3, 5), 3);
    ck_assert_int_eq(b.ops.pwrite(b.ops.ctx, fd, "x", 1, 0), 1);
    ck_assert_int_lt(a.ops.pwrite(a.ops.ctx, -1, "x", 1, 0), 0);
    ck_assert_int_eq(a.ops.pread(a.ops.ctx, fd, text, sizeof(text), 0), 8);
    ck_assert_int_eq(a.ops.close(a.ops.ctx, fd), 0);
    ck_assert_uint_eq(hf_fs_counter_bytes(&a), 8);
    ck_assert_uint_eq(hf_fs_counter_bytes(&b), 1);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_str_eq(hf_fs_counter_part_name(HF_FS_TELEMETRY), "telemetry");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, counts_what_is_written);
}

HF_TEST_MAIN("os/fs_counter", cases)
