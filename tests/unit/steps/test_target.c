/* SPDX-License-Identifier: Apache-2.0 */
/* Reading an installed file whose owner makes it endless. */
#include "steps/target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>

#include "support/check_main.h"
#include "support/fakes/simfs.h"

static struct hf_fs_ops endless;
static uint64_t reads, blocks;
static atomic_bool cancel;

static ssize_t read_for_ever(void *ctx, int fd, void *buf, size_t n, uint64_t offset)
{
    (void)ctx;
    (void)fd;
    (void)offset;
    if (++reads == 4000)
        atomic_store(&cancel, true);
    memset(buf, 'x', n);
    return (ssize_t)n;
}

static int size_of_disk(void *ctx, int fd, struct statvfs *ret)
{
    (void)ctx;
    (void)fd;
    *ret = (struct statvfs){.f_blocks = blocks, .f_frsize = 4096};
    return 0;
}

static int hash(uint64_t disk_blocks)
{
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_failure failure = {.reason = 0};
    char hex[HF_SHA256_HEX];

    hf_simfs_put(fs, "/a", "x", 1, 0644);
    endless = *hf_simfs_ops(fs);
    endless.pread = read_for_ever;
    endless.fstatvfs = size_of_disk;
    reads = 0;
    blocks = disk_blocks;
    atomic_store(&cancel, false);
    int fd = endless.openat(endless.ctx, AT_FDCWD, "/a", O_RDONLY, 0, HF_FS_ANY);
    int r = hf_target_hash_fd(&endless, fd, &cancel, hex, NULL, &failure);
    ck_assert_int_eq(endless.close(endless.ctx, fd), 0);
    hf_simfs_free(fs);
    return r;
}

START_TEST(a_file_larger_than_its_disk)
{
    ck_assert_int_eq(hash(16), -EFBIG);
    ck_assert_uint_lt(reads, 4000);
    ck_assert_int_eq(hash(UINT64_C(1) << 40), -ECANCELED);
    ck_assert_int_eq(hash(0), -ECANCELED); /* a tmpfs without a limit */
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, a_file_larger_than_its_disk);
}

HF_TEST_MAIN("steps/target", cases)
