/* SPDX-License-Identifier: Apache-2.0 */
/* A delta resumes after a kill or a power cut in the middle. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/parse.h"
#include "delta/delta.h"
#include "support/check_main.h"
#include "support/delta_io.h"
#include "support/fakes/simfs.h"
#include "update/install/checkpoint.h"
#include "update/install/patch.h"

enum { BLOCK = 4 << 20, NEW_BYTES = 66 << 20, OLD_BYTES = 2 << 20 };

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define NEW_FILE "/opt/.holdfast-app.new"
#define POINT "/opt/.holdfast-app.point"

static struct hf_simfs *disk;
static struct hf_fs_ops ops; /* the disk's, which count the bytes written to the new file */
static uint64_t written, syncs;
static char *old_bytes, *new_bytes;
static struct hf_buf patch = HF_BUF_INIT(1 << 26);
static char old_hex[HF_SHA256_HEX], new_hex[HF_SHA256_HEX], patch_hex[HF_SHA256_HEX];

static ssize_t count_pwrite(void *ctx, int fd, const void *bytes, size_t n, uint64_t offset)
{
    const struct hf_fs_ops *real = hf_simfs_ops(disk);
    ssize_t r = real->pwrite(ctx, fd, bytes, n, offset);

    if (r > 1024) /* checkpoints are smaller */
        written += (uint64_t)r;
    return r;
}

static int count_fdatasync(void *ctx, int fd)
{
    syncs++;
    return hf_simfs_ops(disk)->fdatasync(ctx, fd);
}

static void boot(unsigned number)
{
    char text[40];
    int n = snprintf(text, sizeof(text), "%08x-0000-4000-8000-000000000000\n", number);

    hf_simfs_put(disk, BOOT_ID, text, (size_t)n, 0444);
}

/* Once for all tests, before the first: `old` repeated, with a few changes. */
static void make_files(void)
{
    const struct hf_delta_create_params params = {.profile = HF_DELTA_FAST, .threads = 1};
    const struct hf_delta_out out = delta_io_out(&patch);
    uint64_t seed = 88172645463325252;

    old_bytes = malloc(OLD_BYTES);
    new_bytes = malloc(NEW_BYTES);
    if (old_bytes == NULL || new_bytes == NULL)
        abort();
    for (size_t i = 0; i < OLD_BYTES; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        old_bytes[i] = (char)seed;
    }
    for (size_t at = 0; at < NEW_BYTES; at += OLD_BYTES) {
        memcpy(new_bytes + at, old_bytes, OLD_BYTES);
        (void)snprintf(new_bytes + at + 12345, 20, "piece at %zu", at);
    }
    if (hf_delta_create(old_bytes, OLD_BYTES, new_bytes, NEW_BYTES, &params, &out, NULL) < 0)
        abort();
    (void)hf_sha256_hex(old_bytes, OLD_BYTES, old_hex);
    (void)hf_sha256_hex(new_bytes, NEW_BYTES, new_hex);
    (void)hf_sha256_hex(patch.p, patch.n, patch_hex);
}

static void setup(void)
{
    disk = hf_simfs_new();
    ops = *hf_simfs_ops(disk);
    ops.pwrite = count_pwrite;
    ops.fdatasync = count_fdatasync;
    written = syncs = 0;
    boot(1);
}

static void put_files(void)
{
    hf_simfs_put(disk, "/opt/app", old_bytes, OLD_BYTES, 0755);
    hf_simfs_put(disk, "/opt/.holdfast-app.part", patch.p, patch.n, 0600);
}

static void teardown(void)
{
    hf_simfs_free(disk);
}

static int run(struct hf_failure *failure)
{
    static const char *const roots[] = {"/opt", NULL};
    const struct hf_patch_params params = {
        .target = {.fs = &ops, .roots = roots, .path = "/opt/app", .release = "app"},
        .kind = HF_INSTALL_FILE,
        .method = HF_METHOD_DELTA,
        .delta_sha256 = patch_hex,
        .delta_size = patch.n,
        .had_old = true,
        .old_sha256 = old_hex,
        .sha256 = new_hex,
        .size = NEW_BYTES,
    };

    *failure = (struct hf_failure){.reason = HF_R_None};
    return hf_patch_run(&params, failure);
}

static void expect_new(void)
{
    struct stat st;
    size_t n = 0;
    const void *bytes = hf_simfs_get(disk, NEW_FILE, &n);

    ck_assert_uint_eq(n, NEW_BYTES);
    ck_assert(memcmp(bytes, new_bytes, n) == 0);
    ck_assert(!hf_simfs_stat(disk, POINT, &st));
}

/* Offset at which the process stops in the new file. */
static uint64_t stop_at;

static ssize_t stopping_pwrite(void *ctx, int fd, const void *bytes, size_t n, uint64_t offset)
{
    if (n > 1024 && written >= stop_at && !hf_simfs_stopped(disk))
        hf_simfs_stop_at(disk, 1);
    return count_pwrite(ctx, fd, bytes, n, offset);
}

/* Runs until `at` bytes are written. */
static void run_until(uint64_t at)
{
    struct hf_failure failure;

    stop_at = at;
    ops.pwrite = stopping_pwrite;
    ck_assert_int_lt(run(&failure), 0);
    ck_assert(hf_simfs_stopped(disk));
    ops.pwrite = count_pwrite;
}

static const struct {
    const char *name;
    uint64_t first, second; /* cuts, by bytes that the process has written; second 0: one cut */
    bool power;
} cuts[] = {
    {"killed", (37 << 20) + 777, 0, false},
    {"killed twice", 21 << 20, 30 << 20, false},
    {"without power", (41 << 20) + 5, 0, true},
    {"killed before the first point", 3 << 20, 0, false},
};

START_TEST(little_is_done_again)
{
    struct hf_failure failure;
    unsigned lives = 1;

    put_files();
    for (unsigned i = 0; i < 2 && (i == 0 ? cuts[_i].first : cuts[_i].second) > 0; i++, lives++) {
        uint64_t before = written;
        run_until(before + (i == 0 ? cuts[_i].first : cuts[_i].second));
        if (cuts[_i].power) {
            hf_simfs_power_cut(disk, 42 + i);
            boot(2 + i);
        } else {
            hf_simfs_kill(disk);
        }
    }
    int r = run(&failure);
    ck_assert_msg(r == 0, "%s: %s", cuts[_i].name, failure.err.cause);
    expect_new();
    ck_assert_msg(written >= NEW_BYTES && written - NEW_BYTES <= (lives - 1) * (uint64_t)BLOCK + 65536,
                  "%s: %llu bytes were made again", cuts[_i].name, (unsigned long long)(written - NEW_BYTES));
}
END_TEST

/* The disk lost written bytes: the file is made again from the start, and the delta is not to blame. */
START_TEST(a_spoilt_half_is_made_again)
{
    struct hf_failure failure;
    size_t n = 0;

    put_files();
    run_until(20 << 20);
    hf_simfs_kill(disk);
    char *bytes = malloc(NEW_BYTES);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, hf_simfs_get(disk, NEW_FILE, &n), NEW_BYTES);
    ck_assert_uint_eq(n, NEW_BYTES);
    bytes[1 << 20] ^= 1;
    hf_simfs_put(disk, NEW_FILE, bytes, n, 0600);
    free(bytes);
    int r = run(&failure);
    ck_assert_msg(r == 0, "%s", failure.err.cause);
    expect_new();
    ck_assert_uint_ge(written, 2ull * NEW_BYTES);
}
END_TEST

/* ---- points by themselves ---------------------------------------------------------------------------------------- */

static struct hf_target_dir spot_of(void)
{
    struct hf_target_dir dir = {.fs = &ops, .release = "app"};

    hf_simfs_mkdir(disk, "/opt", 0755);
    dir.dirfd = ops.openat(ops.ctx, AT_FDCWD, "/opt", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0);
    ck_assert_int_ge(dir.dirfd, 0);
    return dir;
}

static struct hf_delta_checkpoint point_at(uint64_t offset)
{
    struct hf_delta_checkpoint point = {.new_offset = offset, .patch_offset = offset / 100};

    memset(point.new_hash, (int)(offset >> 22) & 0xff, sizeof(point.new_hash));
    return point;
}

/* Keeps checkpoints up to `blocks` blocks of a file of 1 GiB. Uses the checkpoint file's descriptor for both: only
 * syncs count. */
static void keep_some(unsigned blocks)
{
    struct hf_delta_checkpoint point;
    struct hf_target_dir dir = spot_of();
    struct hf_checkpoint_keeper keeper;

    ck_assert(!hf_checkpoint_open(&dir, "delta", "new", UINT64_C(1) << 30, &keeper, &point));
    for (unsigned i = 1; i <= blocks; i++) {
        point = point_at((uint64_t)i * BLOCK);
        ck_assert_int_eq(hf_checkpoint_keep(&keeper, keeper.fd, &point), 0);
    }
    hf_checkpoint_done(&keeper);
    hf_target_dir_done(&dir);
}

static uint64_t left(const char *delta)
{
    struct hf_delta_checkpoint point = {.new_offset = 0}, want;
    struct hf_target_dir dir = spot_of();
    struct hf_checkpoint_keeper keeper;
    bool found = hf_checkpoint_open(&dir, delta, "new", UINT64_C(1) << 30, &keeper, &point);

    hf_checkpoint_done(&keeper);
    hf_target_dir_done(&dir);
    want = point_at(point.new_offset);
    ck_assert(!found || memcmp(want.new_hash, point.new_hash, sizeof(want.new_hash)) == 0);
    ck_assert(!found || want.patch_offset == point.patch_offset);
    return point.new_offset / BLOCK;
}

START_TEST(points_hold_as_long_as_they_say)
{
    keep_some(100); /* every 16th one is synced */
    ck_assert_uint_eq(syncs, 2 * 6);
    ck_assert_uint_eq(left("delta"), 100);
    ck_assert_uint_eq(left("another"), 0);
    boot(2);
    ck_assert_uint_eq(left("delta"), 96);
}
END_TEST

START_TEST(points_after_a_power_cut)
{
    keep_some(100);
    hf_simfs_power_cut(disk, (uint64_t)_i);
    boot(2);
    ck_assert_uint_eq(left("delta"), 96);
}
END_TEST

START_TEST(a_point_is_settled_for_a_reboot)
{
    struct hf_delta_checkpoint point = point_at(BLOCK);
    struct hf_target_dir dir = spot_of();
    struct hf_checkpoint_keeper keeper;

    ck_assert(!hf_checkpoint_open(&dir, "delta", "new", UINT64_C(1) << 30, &keeper, &point));
    point = point_at(BLOCK);
    ck_assert_int_eq(hf_checkpoint_keep(&keeper, keeper.fd, &point), 0);
    hf_checkpoint_settle(&keeper, keeper.fd);
    hf_checkpoint_done(&keeper);
    hf_target_dir_done(&dir);
    hf_simfs_power_cut(disk, 1);
    boot(2);
    ck_assert_uint_eq(left("delta"), 1);
}
END_TEST

/* One flipped bit anywhere leaves the other slots. */
START_TEST(damaged_points)
{
    size_t n = 0;

    keep_some(40);
    const char *bytes = hf_simfs_get(disk, POINT, &n);
    char *copy = malloc(n);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, n);
    for (size_t i = 0; i < n; i += 7) {
        copy[i] = (char)(copy[i] ^ 4);
        hf_simfs_put(disk, POINT, copy, n, 0600);
        uint64_t blocks = left("delta");
        ck_assert_msg(blocks == 40 || blocks == 32, "byte %zu: %llu", i, (unsigned long long)blocks);
        copy[i] = (char)(copy[i] ^ 4);
    }
    free(copy);
}
END_TEST

/* Without disk space for a checkpoint the file is made all the same. */
START_TEST(no_room_for_points)
{
    struct hf_delta_checkpoint point = point_at(BLOCK);
    struct hf_target_dir dir = spot_of();
    struct hf_checkpoint_keeper keeper;

    ck_assert(!hf_checkpoint_open(&dir, "delta", "new", UINT64_C(1) << 30, &keeper, &point));
    hf_simfs_fail_at(disk, 1, ENOSPC, 0);
    point = point_at(BLOCK);
    ck_assert_int_eq(hf_checkpoint_keep(&keeper, -1, &point), 0);
    ck_assert_int_lt(keeper.fd, 0);
    point = point_at(2 * BLOCK);
    ck_assert_int_eq(hf_checkpoint_keep(&keeper, -1, &point), 0);
    hf_checkpoint_done(&keeper);
    hf_target_dir_done(&dir);
}
END_TEST

static void all(TCase *tc)
{
    make_files();
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, little_is_done_again, 0, (int)HF_LEN(cuts));
    tcase_add_test(tc, a_spoilt_half_is_made_again);
    tcase_add_test(tc, points_hold_as_long_as_they_say);
    tcase_add_loop_test(tc, points_after_a_power_cut, 0, 20);
    tcase_add_test(tc, a_point_is_settled_for_a_reboot);
    tcase_add_test(tc, damaged_points);
    tcase_add_test(tc, no_room_for_points);
}

HF_TEST_MAIN_CPU("update/patch_resume", all, 180)
