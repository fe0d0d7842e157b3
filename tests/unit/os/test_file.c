/* SPDX-License-Identifier: Apache-2.0 */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/dir.h"
#include "os/fd.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"

static struct hf_simfs *sim;
static const struct hf_fs_ops *fs;

static void set_up(void)
{
    sim = hf_simfs_new();
    fs = hf_simfs_ops(sim);
    hf_simfs_mkdir(sim, "/d", 0755);
}

static void tear_down(void)
{
    ck_assert_uint_eq(hf_simfs_open_fds(sim), 0);
    hf_simfs_free(sim);
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static const struct {
    size_t size, max;
    int want_r;
} reads[] = {{0, 10, 0},          {9, 10, 0},        {10, 10, 0},           {11, 10, -E2BIG},
             {200000, 300000, 0}, {65536, 65536, 0}, {65537, 65536, -E2BIG}};

START_TEST(read_whole)
{
    char *bytes = malloc(reads[_i].size + 1);
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(reads[_i].max);

    for (size_t i = 0; i < reads[_i].size; i++)
        bytes[i] = (char)(i * 7);
    hf_simfs_put(sim, "/d/f", bytes, reads[_i].size, 0600);
    ck_assert_int_eq(hf_file_read(fs, "/d/f", &out, NULL), reads[_i].want_r);
    ck_assert_uint_eq(out.n, reads[_i].want_r == 0 ? reads[_i].size : 0);
    ck_assert(out.n == 0 || memcmp(out.p, bytes, out.n) == 0);
    free(bytes);
}
END_TEST

START_TEST(read_adds)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(10);
    struct hf_err err = HF_ERR_INIT;

    hf_simfs_put(sim, "/d/f", "defg", 4, 0600);
    ck_assert_int_eq(hf_buf_add_str(&out, "abc"), 0);
    ck_assert_int_eq(hf_file_read(fs, "/d/f", &out, NULL), 0);
    ck_assert_str_eq(hf_buf_str(&out), "abcdefg");
    ck_assert_int_eq(hf_file_read(fs, "/d/f", &out, &err), -E2BIG);
    ck_assert_str_eq(hf_buf_str(&out), "abcdefg"); /* as it was */
    ck_assert_msg(strstr(err.cause, "'/d/f'") != NULL, "%s", err.cause);
    ck_assert_int_eq(hf_file_read(fs, "/d/none", &out, NULL), -ENOENT);
    ck_assert_int_eq(hf_file_read(fs, "/d", &out, NULL), -EINVAL);
}
END_TEST

/* A pipe put in the place of a file hangs nobody. */
START_TEST(read_no_pipe)
{
    char folder[] = "/tmp/hf-os-XXXXXX", path[64];
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(10);

    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/pipe", folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(hf_file_read(hf_fs_posix(), path, &out, NULL), -EINVAL);
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), folder, NULL), 0);
}
END_TEST

/* ---- every call may fail, every call may be the last, and the power may go at each ------------------------------------------ */

enum how { FAILS, STOPS, LOSES_POWER };

static const char *content(const char *path)
{
    static char text[64];
    size_t n;
    const char *bytes = hf_simfs_get(sim, path, &n);

    if (bytes == NULL)
        return "absent";
    (void)snprintf(text, sizeof(text), "%.*s", (int)n, bytes);
    return text;
}

static int replace(void)
{
    return hf_file_replace(fs, "/d/f", "new", 3, 0640, NULL);
}

static int remove_it(void)
{
    return hf_file_remove(fs, "/d/f", NULL);
}

static int make(void)
{
    return hf_dir_make(fs, "/d/a/b/c", 0750, NULL);
}

static int remove_tree(void)
{
    return hf_dir_remove_tree(fs, "/d/tree", NULL);
}

static void old_file(void)
{
    hf_simfs_put(sim, "/d/f", "old", 3, 0600);
}

static void nothing(void)
{
}

static void left_over(void)
{
    old_file();
    hf_simfs_put(sim, "/d/f.new", "half", 4, 0);
}

static void tree(void)
{
    hf_simfs_put(sim, "/d/tree/x/y/file", "1", 1, 0600);
    hf_simfs_put(sim, "/d/tree/z", "2", 1, 0600);
    hf_simfs_symlink(sim, "/d/tree/link", "/d/kept");
    hf_simfs_put(sim, "/d/kept/file", "3", 1, 0600);
}

static bool is_old(void)
{
    return strcmp(content("/d/f"), "old") == 0;
}

static bool is_new(void)
{
    return strcmp(content("/d/f"), "new") == 0;
}

static bool is_absent(void)
{
    return strcmp(content("/d/f"), "absent") == 0;
}

static bool is_folder(void)
{
    struct stat st;

    return hf_simfs_stat(sim, "/d/a/b/c", &st) && S_ISDIR(st.st_mode);
}

static bool anything(void)
{
    return true;
}

static bool tree_gone(void)
{
    struct stat st;

    return !hf_simfs_stat(sim, "/d/tree", &st) && strcmp(content("/d/kept/file"), "3") == 0;
}

static bool link_not_followed(void)
{
    return strcmp(content("/d/kept/file"), "3") == 0;
}

static const struct {
    const char *name;
    void (*scene)(void);
    int (*act)(void);
    bool (*before)(void); /* what may still be there when it did not succeed, beside `after` */
    bool (*after)(void);
} actions[] = {
    {"replace", old_file, replace, is_old, is_new},
    {"replace nothing", nothing, replace, is_absent, is_new},
    {"replace with a left-over", left_over, replace, is_old, is_new},
    {"remove", old_file, remove_it, is_old, is_absent},
    {"remove nothing", nothing, remove_it, is_absent, is_absent},
    {"make folders", nothing, make, anything, is_folder},
    {"remove a tree", tree, remove_tree, link_not_followed, tree_gone},
};

static void disturb(enum how how, uint64_t n)
{
    if (how == FAILS)
        hf_simfs_fail_at(sim, n, EIO, 1);
    else
        hf_simfs_stop_at(sim, n);
}

static void settle(enum how how, uint64_t seed)
{
    hf_simfs_fail_at(sim, 0, 0, 0);
    if (how == STOPS)
        hf_simfs_kill(sim);
    if (how == LOSES_POWER)
        hf_simfs_power_cut(sim, seed);
}

/* Whatever happens at call n: the old state or the new one; after success it survives a power cut; done again it succeeds, also
 * after a crash, and then survives one. */
static uint64_t try_at(size_t a, enum how how, uint64_t n, uint64_t seed)
{
    set_up();
    actions[a].scene();
    disturb(how, n);
    int r = actions[a].act();
    bool hit = how == FAILS ? hf_simfs_failed(sim) > 0 : hf_simfs_stopped(sim);
    settle(how, seed);
    ck_assert_msg(actions[a].after() || (r < 0 && actions[a].before()), "%s, how %d, call %llu, seed %llu: r %d",
                  actions[a].name, how, (unsigned long long)n, (unsigned long long)seed, r);
    r = actions[a].act();
    ck_assert_msg(r == 0, "%s, how %d, call %llu: again: %d", actions[a].name, how, (unsigned long long)n, r);
    hf_simfs_power_cut(sim, seed + 1);
    ck_assert_msg(actions[a].after(), "%s, how %d, call %llu, seed %llu: lost", actions[a].name, how,
                  (unsigned long long)n, (unsigned long long)seed);
    tear_down();
    return hit;
}

START_TEST(faults)
{
    tear_down();
    for (size_t a = 0; a < HF_LEN(actions); a++)
        for (enum how how = FAILS; how <= LOSES_POWER; how++)
            for (uint64_t seed = 0; seed < 20; seed++) {
                uint64_t n = 1;
                while (try_at(a, how, n, seed))
                    n++;
                ck_assert_uint_gt(n, 1);
            }
    set_up();
}
END_TEST

START_TEST(disk_full)
{
    char bytes[20000];

    memset(bytes, 'x', sizeof(bytes));
    old_file();
    hf_simfs_set_limit(sim, "/", 8192);
    ck_assert_int_eq(hf_file_replace(fs, "/d/f", bytes, sizeof(bytes), 0600, NULL), -ENOSPC);
    ck_assert(is_old());
    ck_assert_str_eq(content("/d/f.new"), "absent"); /* nothing is left behind */
}
END_TEST

START_TEST(replaced_mode)
{
    struct stat st;

    (void)umask(077);
    old_file();
    ck_assert_int_eq(replace(), 0);
    ck_assert(hf_simfs_stat(sim, "/d/f", &st));
    ck_assert_int_eq(st.st_mode & 07777, 0640);
}
END_TEST

START_TEST(folders)
{
    struct stat st;
    struct hf_err err = HF_ERR_INIT;
    char longest[5000];

    ck_assert_int_eq(hf_dir_make(fs, "/d", 0700, NULL), 0);
    ck_assert_int_eq(hf_dir_make(fs, "/", 0700, NULL), 0);
    ck_assert_int_eq(hf_dir_make(fs, "//d//x///y", 0700, NULL), 0);
    ck_assert(hf_simfs_stat(sim, "/d/x/y", &st) && (st.st_mode & 07777) == 0700);
    ck_assert_int_eq(hf_dir_make(fs, "", 0700, &err), -EINVAL);
    old_file();
    ck_assert_int_eq(hf_dir_make(fs, "/d/f", 0700, &err), -ENOTDIR);
    ck_assert_int_eq(hf_dir_make(fs, "/d/f/x", 0700, &err), -ENOTDIR);
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    ck_assert_int_eq(hf_dir_make(fs, longest, 0700, &err), -ENAMETOOLONG);
    ck_assert_int_eq(hf_file_replace(fs, longest, "x", 1, 0600, &err), -ENAMETOOLONG);
}
END_TEST

START_TEST(deep_tree)
{
    char path[1024] = "/d/tree";
    struct hf_err err = HF_ERR_INIT;

    for (int i = 0; i < 80; i++)
        (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/x");
    hf_simfs_mkdir(sim, path, 0700);
    ck_assert_int_eq(hf_dir_remove_tree(fs, "/d/tree", &err), -ELOOP);
    ck_assert_int_eq(hf_dir_remove_tree(fs, "/d/tree/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x", NULL), 0);
    ck_assert_int_eq(hf_dir_remove_tree(fs, "/d/tree", NULL), 0);
    ck_assert_int_eq(hf_dir_remove_tree(fs, "/d/tree", NULL), 0);
    ck_assert_int_eq(hf_dir_remove_tree(fs, "/none/at/all", NULL), 0);
}
END_TEST

static const struct {
    const char *path, *folder, *last;
} splits[] = {
    {"/a/b", "/a", "b"}, {"/a", "/", "a"},  {"a", ".", "a"}, {"a/b/c", "a/b", "c"},
    {"a//b", "a", "b"},  {"//a", "/", "a"}, {"", ".", ""},
};

START_TEST(split)
{
    char folder[64];

    ck_assert_str_eq(hf_dir_of_path(splits[_i].path, folder, sizeof(folder)), splits[_i].last);
    ck_assert_str_eq(folder, splits[_i].folder);
}
END_TEST

START_TEST(lock)
{
    struct hf_err err = HF_ERR_INIT;
    int fd = hf_file_lock(fs, "/d/lock", &err);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(hf_file_lock(fs, "/d/lock", &err), -EWOULDBLOCK);
    ck_assert_msg(strstr(err.cause, "another process") != NULL, "%s", err.cause);
    ck_assert_int_eq(fs->close(fs->ctx, fd), 0);
    fd = hf_file_lock(fs, "/d/lock", &err);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fs->close(fs->ctx, fd), 0);
    ck_assert_int_eq(hf_file_lock(fs, "/none/lock", &err), -ENOENT);
    hf_simfs_symlink(sim, "/d/link", "/d/lock");
    ck_assert_int_eq(hf_file_lock(fs, "/d/link", &err), -ELOOP);
}
END_TEST

START_TEST(close_for_cleanup)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    hf_closep(&fd);
    ck_assert_int_eq(fd, -1);
    hf_closep(&fd);
}
END_TEST

/* In a child: closed ones get no file of ours, and fail as before; open ones stay as they are. */
START_TEST(standard_is_held)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        for (int fd = 0; fd <= 2; fd++)
            if ((_i & 1 << fd) != 0)
                (void)close(fd);
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        bool was_open = null > 2;
        (void)close(null);
        hf_fd_hold_standard();
        int next = open("/dev/null", O_RDWR | O_CLOEXEC);
        bool in_fails = read(0, &status, 0) < 0 && errno == EBADF;
        bool out_fails = write(1, "", 0) < 0 && errno == EBADF, err_fails = write(2, "", 0) < 0 && errno == EBADF;
        bool right = next > 2 && was_open == (_i == 0) && (_i & 1 ? in_fails : true) && ((_i & 2) != 0) == out_fails &&
                     ((_i & 4) != 0) == err_fails;
        _exit(right ? 7 : 8);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 7, "closed: %d", _i);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, read_whole, 0, (int)HF_LEN(reads));
    tcase_add_test(tc, read_adds);
    tcase_add_test(tc, read_no_pipe);
    tcase_add_test(tc, faults);
    tcase_add_test(tc, disk_full);
    tcase_add_test(tc, replaced_mode);
    tcase_add_test(tc, folders);
    tcase_add_test(tc, deep_tree);
    tcase_add_loop_test(tc, split, 0, (int)HF_LEN(splits));
    tcase_add_loop_test(tc, standard_is_held, 0, 8);
    tcase_add_test(tc, lock);
    tcase_add_test(tc, close_for_cleanup);
}

HF_TEST_MAIN("os/file", cases)
