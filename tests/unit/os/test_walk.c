/* SPDX-License-Identifier: Apache-2.0 */
/* Links on the way to a file: followed where only root and this user could have made them. */
#include "os/walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/dir.h"
#include "os/fs_posix.h"
#include "support/check_main.h"

static char dir[64];

static const char *below(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
    return path;
}

static void make_folder(const char *name, mode_t mode)
{
    ck_assert_int_eq(mkdir(below(name), 0700), 0);
    ck_assert_int_eq(chmod(below(name), mode), 0);
}

static void set_up(void)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/hf-walk-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    make_folder("mine", 0755);
    make_folder("mine/sub", 0755);
    make_folder("shared", 0775);
    make_folder("world", 01777);
    make_folder("world/sub", 0755);
    ck_assert_int_eq(symlink(below("mine"), below("to-mine")), 0);
    ck_assert_int_eq(symlink("../mine/sub/file", below("mine/relative")), 0);
    ck_assert_int_eq(symlink("up/../../../../etc/passwd", below("mine/dots")), 0);
    ck_assert_int_eq(symlink(below("mine"), below("shared/link")), 0);
    ck_assert_int_eq(symlink("/etc/passwd", below("world/link")), 0);
    ck_assert_int_eq(symlink("/etc/passwd", below("world/sub/link")), 0);
    ck_assert_int_eq(symlink("again", below("mine/again")), 0);
}

static void tear_down(void)
{
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), dir, NULL), 0);
}

static const struct {
    const char *path;
    int want;
    const char *leads_to; /* below the folder unless it begins with '/' */
} walks[] = {
    {"mine/file", 0, "mine/file"},
    {"mine//sub/./file", 0, "mine/sub/file"},
    {"mine/sub/../file", 0, "mine/file"},
    {"to-mine/file", 0, "mine/file"},
    {"to-mine/sub/file", 0, "mine/sub/file"},
    {"mine/relative", 0, "mine/sub/file"},
    {"to-mine/relative", 0, "mine/sub/file"},
    {"mine/dots", 0, NULL}, /* where the temporary folder is decides where it leads */
    {"shared/file", 0, "shared/file"},
    {"shared/link", -ELOOP, NULL},
    {"shared/link/file", -ELOOP, NULL},
    {"world/link", -ELOOP, NULL},
    {"world/sub/link", 0, "/etc/passwd"},
    {"mine/again", -ELOOP, NULL},
    {"mine/none/file", -ENOENT, NULL},
};

START_TEST(leads)
{
    struct hf_err err = HF_ERR_INIT;
    struct hf_walk walk;
    int r = hf_walk_to(hf_fs_posix(), below(walks[_i].path), &walk, &err);

    ck_assert_msg(r == walks[_i].want, "%s: %d %s", walks[_i].path, r, err.cause);
    if (r == 0) {
        const char *to = walks[_i].leads_to;
        if (to != NULL)
            ck_assert_str_eq(walk.path, to[0] == '/' ? to : below(to));
        ck_assert_str_eq(walk.name, strrchr(walk.path, '/') + 1);
        ck_assert(S_ISDIR(walk.folder_st.st_mode));
        hf_walk_done(hf_fs_posix(), &walk);
    }
    ck_assert_int_eq(walk.folder, -1);
}
END_TEST

START_TEST(bad_paths)
{
    struct hf_walk walk;
    char path[2000];

    ck_assert_int_eq(hf_walk_to(hf_fs_posix(), "relative", &walk, NULL), -EINVAL);
    ck_assert_int_eq(hf_walk_to(hf_fs_posix(), "/", &walk, NULL), -EINVAL);
    ck_assert_int_eq(hf_walk_to(hf_fs_posix(), "/tmp/..", &walk, NULL), -EINVAL);
    memset(path, 'x', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    ck_assert_int_eq(hf_walk_to(hf_fs_posix(), path, &walk, NULL), -ENAMETOOLONG);
    path[300] = '\0';
    ck_assert_int_eq(hf_walk_to(hf_fs_posix(), path, &walk, NULL), -ENAMETOOLONG);
    ck_assert_int_eq(hf_walk_to(hf_fs_posix(), "/etc/passwd/x", &walk, NULL), -ENOTDIR);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, leads, 0, (int)HF_LEN(walks));
    tcase_add_test(tc, bad_paths);
}

HF_TEST_MAIN("os/walk", cases)
