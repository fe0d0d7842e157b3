/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated file system itself: what it keeps over a power cut is what every crash test stands on. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "os/dir.h"
#include "os/file.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"

static struct hf_simfs *sim;
static const struct hf_fs_ops *fs;

static void begin(void)
{
    sim = hf_simfs_new();
    fs = hf_simfs_ops(sim);
    hf_simfs_mkdir(sim, "/d", 0755);
}

static void end(void)
{
    ck_assert_uint_eq(hf_simfs_open_fds(sim), 0);
    hf_simfs_free(sim);
}

static void put(const char *path, const char *text, bool sync)
{
    int fd = fs->openat(sim, AT_FDCWD, path, O_WRONLY | O_CREAT, 0644, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)fs->pwrite(sim, fd, text, strlen(text), 0), (int)strlen(text));
    if (sync)
        ck_assert_int_eq(fs->fsync(sim, fd), 0);
    ck_assert_int_eq(fs->close(sim, fd), 0);
}

static bool is(const char *path, const char *text)
{
    size_t n;
    const void *bytes = hf_simfs_get(sim, path, &n);

    return bytes != NULL && n == strlen(text) && memcmp(bytes, text, n) == 0;
}

static bool there(const char *path)
{
    struct stat st;

    return hf_simfs_stat(sim, path, &st);
}

START_TEST(synced_survives)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        begin();
        put("/d/a", "hello", true);
        ck_assert_int_eq(hf_dir_sync(fs, "/d", NULL), 0);
        hf_simfs_power_cut(sim, seed);
        ck_assert(is("/d/a", "hello"));
        end();
    }
}
END_TEST

/* A sync that failed has lost the bytes, although the cache still shows them and the next sync says 0. Only another write
 * brings them to the medium. */
START_TEST(failed_sync_is_not_repeated)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        bool again = seed % 2 != 0;
        begin();
        put("/d/a", "older", true);
        ck_assert_int_eq(hf_dir_sync(fs, "/d", NULL), 0);
        put("/d/a", "newer", false);
        int fd = fs->openat(sim, AT_FDCWD, "/d/a", O_WRONLY, 0, 0);
        hf_simfs_fail_at(sim, 1, EIO, 1);
        ck_assert_int_eq(fs->fsync(sim, fd), -EIO);
        hf_simfs_fail_at(sim, 0, 0, 0);
        ck_assert(is("/d/a", "newer"));
        if (again)
            ck_assert_int_eq((int)fs->pwrite(sim, fd, "newer", 5, 0), 5);
        ck_assert_int_eq(fs->fsync(sim, fd), 0);
        ck_assert_int_eq(fs->close(sim, fd), 0);
        hf_simfs_power_cut(sim, seed);
        ck_assert(is("/d/a", again ? "newer" : "older"));
        end();
    }
}
END_TEST

/* Every outcome that a cut allows is seen within a few seeds, and none that it does not. */
START_TEST(unsynced_may_be_anything_legal)
{
    unsigned gone = 0, empty = 0, whole = 0, part = 0;

    for (uint64_t seed = 0; seed < 200; seed++) {
        begin();
        put("/d/a", "0123456789", false);
        hf_simfs_power_cut(sim, seed);
        size_t n = 0;
        const void *bytes = hf_simfs_get(sim, "/d/a", &n);
        gone += bytes == NULL;
        empty += bytes != NULL && n == 0;
        whole += is("/d/a", "0123456789");
        part += n > 0 && n < 10;
        end();
    }
    ck_assert_msg(gone > 0 && empty > 0 && whole > 0 && part > 0, "%u %u %u %u", gone, empty, whole, part);
}
END_TEST

START_TEST(rename_is_one_step)
{
    unsigned before = 0, after = 0;

    for (uint64_t seed = 0; seed < 100; seed++) {
        begin();
        hf_simfs_put(sim, "/d/t", "old", 3, 0644);
        put("/d/n", "new", true);
        ck_assert_int_eq(fs->renameat(sim, AT_FDCWD, "/d/n", AT_FDCWD, "/d/t"), 0);
        hf_simfs_power_cut(sim, seed);
        ck_assert_msg(is("/d/t", "old") || is("/d/t", "new"), "seed %d", (int)seed);
        before += is("/d/t", "old");
        after += is("/d/t", "new");
        ck_assert(!(is("/d/t", "new") && there("/d/n")));
        end();
    }
    ck_assert(before > 0 && after > 0);
}
END_TEST

/* The trap that swapping must avoid: the new name arrives, the backup's does not. */
START_TEST(unsynced_names_reorder)
{
    unsigned trapped = 0;

    for (uint64_t seed = 0; seed < 300; seed++) {
        begin();
        hf_simfs_put(sim, "/d/t", "old", 3, 0644);
        hf_simfs_put(sim, "/d/n", "new", 3, 0644);
        ck_assert_int_eq(fs->linkat(sim, AT_FDCWD, "/d/t", AT_FDCWD, "/d/t.old"), 0);
        ck_assert_int_eq(fs->renameat(sim, AT_FDCWD, "/d/n", AT_FDCWD, "/d/t"), 0);
        hf_simfs_power_cut(sim, seed);
        trapped += is("/d/t", "new") && !there("/d/t.old");
        end();
    }
    ck_assert_uint_gt(trapped, 0);
}
END_TEST

START_TEST(replace_is_old_or_new_at_every_call)
{
    for (uint64_t n = 1;; n++) {
        begin();
        hf_simfs_put(sim, "/d/f", "old", 3, 0644);
        hf_simfs_stop_at(sim, n);
        int r = hf_file_replace(fs, "/d/f", "new!", 4, 0600, NULL);
        bool stopped = hf_simfs_stopped(sim);
        hf_simfs_power_cut(sim, n * 7919);
        ck_assert_msg(is("/d/f", "new!") || (stopped && is("/d/f", "old")), "call %d", (int)n);
        end();
        if (!stopped) {
            ck_assert_int_eq(r, 0);
            break;
        }
        ck_assert_int_lt(r, 0);
    }
}
END_TEST

START_TEST(kill_keeps_what_was_written)
{
    begin();
    int fd = fs->openat(sim, AT_FDCWD, "/d/lock", O_RDWR | O_CREAT, 0600, 0);
    ck_assert_int_eq(fs->flock(sim, fd, LOCK_EX | LOCK_NB), 0);
    int other = fs->openat(sim, AT_FDCWD, "/d/lock", O_RDWR, 0, 0);
    ck_assert_int_eq(fs->flock(sim, other, LOCK_EX | LOCK_NB), -EWOULDBLOCK);
    put("/d/a", "x", false);
    hf_simfs_kill(sim);
    ck_assert(is("/d/a", "x"));
    fd = fs->openat(sim, AT_FDCWD, "/d/lock", O_RDWR, 0, 0);
    ck_assert_int_eq(fs->flock(sim, fd, LOCK_EX | LOCK_NB), 0);
    ck_assert_int_eq(fs->close(sim, fd), 0);
    end();
}
END_TEST

START_TEST(strict_resolution)
{
    static const struct {
        const char *path;
        unsigned resolve;
        int want;
    } cases[] = {
        {"in/f", HF_FS_BENEATH | HF_FS_NO_SYMLINKS, 0},
        {"../d/in/f", HF_FS_BENEATH, -EXDEV},
        {"in/../in/f", HF_FS_BENEATH, 0},
        {"/d/in/f", HF_FS_BENEATH, -EXDEV},
        {"out/f", HF_FS_BENEATH, -EXDEV},
        {"near/f", HF_FS_BENEATH, 0},
        {"near/f", HF_FS_NO_SYMLINKS, -ELOOP},
        {"link", HF_FS_NO_SYMLINKS, -ELOOP},
        {"link", HF_FS_ANY, 0},
        {"loop", HF_FS_ANY, -ELOOP},
        {"none", HF_FS_ANY, -ENOENT},
        {"in/f/x", HF_FS_ANY, -ENOTDIR},
    };
    begin();
    hf_simfs_put(sim, "/d/in/f", "x", 1, 0644);
    hf_simfs_symlink(sim, "/d/out", "/d/in");
    hf_simfs_symlink(sim, "/d/near", "in");
    hf_simfs_symlink(sim, "/d/link", "in/f");
    hf_simfs_symlink(sim, "/d/loop", "loop");
    int dir = fs->openat(sim, AT_FDCWD, "/d", O_RDONLY | O_DIRECTORY, 0, 0);
    for (size_t i = 0; i < HF_LEN(cases); i++) {
        int fd = fs->openat(sim, dir, cases[i].path, O_RDONLY, 0, cases[i].resolve);
        ck_assert_msg((cases[i].want == 0) == (fd >= 0) && (fd >= 0 || fd == cases[i].want), "%s: %d", cases[i].path,
                      fd);
        if (fd >= 0)
            (void)fs->close(sim, fd);
    }
    (void)fs->close(sim, dir);
    end();
}
END_TEST

START_TEST(without_a_journal_only_written_blocks_are_kept)
{
    char block[4096] = "old", kept[2 * sizeof(block)];

    begin();
    int fd = fs->openat(sim, AT_FDCWD, "/d/a", O_RDWR | O_CREAT, 0600, 0);
    ck_assert_int_eq(fs->fallocate(sim, fd, 0, sizeof(kept)), 0);
    ck_assert_int_eq((int)fs->pwrite(sim, fd, block, sizeof(block), 0), (int)sizeof(block));
    ck_assert_int_eq(fs->fdatasync(sim, fd), 0);
    ck_assert_int_eq(hf_dir_sync(fs, "/d", NULL), 0);
    hf_simfs_lose_journal_at(sim, 1);
    for (size_t at = 0; at < sizeof(kept); at += sizeof(block))
        ck_assert_int_eq((int)fs->pwrite(sim, fd, "new", 3, at), 3);
    ck_assert(hf_simfs_journal_lost(sim));
    ck_assert_int_eq(fs->fdatasync(sim, fd), 0);
    ck_assert_int_eq(fs->fallocate(sim, fd, 0, sizeof(block)), -EROFS);
    ck_assert_int_eq((int)fs->pwrite(sim, fd, "x", 1, sizeof(kept)), -EROFS);
    ck_assert_int_eq(fs->renameat(sim, AT_FDCWD, "/d/a", AT_FDCWD, "/d/b"), -EROFS);
    (void)fs->close(sim, fd);
    hf_simfs_power_cut(sim, 2); /* leaves what was synced */
    size_t n;
    const char *bytes = hf_simfs_get(sim, "/d/a", &n);
    ck_assert_uint_eq(n, sizeof(kept));
    ck_assert_str_eq(bytes, "new");
    ck_assert_str_eq(bytes + sizeof(block), "");
    end();
}
END_TEST

START_TEST(full_read_only_and_other_devices)
{
    begin();
    hf_simfs_mount(sim, "/m");
    hf_simfs_put(sim, "/m/a", "x", 1, 0644);
    ck_assert_int_eq(fs->linkat(sim, AT_FDCWD, "/m/a", AT_FDCWD, "/d/a"), -EXDEV);
    ck_assert_int_eq(fs->renameat(sim, AT_FDCWD, "/m/a", AT_FDCWD, "/d/a"), -EXDEV);
    hf_simfs_set_limit(sim, "/m", 4 * 4096);
    int fd = fs->openat(sim, AT_FDCWD, "/m/b", O_RDWR | O_CREAT, 0600, 0);
    char block[3 * 4096] = {1};
    ck_assert_int_eq((int)fs->pwrite(sim, fd, block, sizeof(block), 0), 2 * 4096);
    ck_assert_int_eq((int)fs->pwrite(sim, fd, block, 1, 2 * 4096), -ENOSPC);
    ck_assert_int_eq(fs->fallocate(sim, fd, 0, sizeof(block)), -ENOSPC);
    ck_assert_int_eq(fs->ftruncate(sim, fd, 0), 0);
    ck_assert_int_eq(fs->close(sim, fd), 0);
    hf_simfs_set_read_only(sim, "/m", true);
    ck_assert_int_eq(fs->openat(sim, AT_FDCWD, "/m/c", O_RDWR | O_CREAT, 0600, 0), -EROFS);
    ck_assert_int_eq(fs->unlinkat(sim, AT_FDCWD, "/m/a", 0), -EROFS);
    end();
}
END_TEST

START_TEST(one_call_fails)
{
    begin();
    hf_simfs_fail_at(sim, 2, EDQUOT, 1);
    ck_assert_int_eq(hf_file_replace(fs, "/d/f", "new", 3, 0600, NULL), -EDQUOT);
    ck_assert_uint_eq(hf_simfs_failed(sim), 1);
    ck_assert_int_eq(hf_file_replace(fs, "/d/f", "new", 3, 0600, NULL), 0);
    end();
}
END_TEST

START_TEST(tree_removal_and_same_inode_rename)
{
    begin();
    hf_simfs_put(sim, "/d/t/x/y", "1", 1, 0644);
    hf_simfs_symlink(sim, "/d/t/l", "/d/keep");
    hf_simfs_put(sim, "/d/keep", "k", 1, 0644);
    ck_assert_int_eq(hf_dir_remove_tree(fs, "/d/t", NULL), 0);
    ck_assert(!there("/d/t") && is("/d/keep", "k"));
    ck_assert_int_eq(fs->linkat(sim, AT_FDCWD, "/d/keep", AT_FDCWD, "/d/twin"), 0);
    ck_assert_int_eq(fs->renameat(sim, AT_FDCWD, "/d/twin", AT_FDCWD, "/d/keep"), 0);
    ck_assert(there("/d/twin") && there("/d/keep"));
    end();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, synced_survives);
    tcase_add_test(tc, failed_sync_is_not_repeated);
    tcase_add_test(tc, unsynced_may_be_anything_legal);
    tcase_add_test(tc, rename_is_one_step);
    tcase_add_test(tc, unsynced_names_reorder);
    tcase_add_test(tc, replace_is_old_or_new_at_every_call);
    tcase_add_test(tc, kill_keeps_what_was_written);
    tcase_add_test(tc, strict_resolution);
    tcase_add_test(tc, without_a_journal_only_written_blocks_are_kept);
    tcase_add_test(tc, full_read_only_and_other_devices);
    tcase_add_test(tc, one_call_fails);
    tcase_add_test(tc, tree_removal_and_same_inode_rename);
}

HF_TEST_MAIN("support/simfs", cases)
