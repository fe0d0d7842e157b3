/* SPDX-License-Identifier: Apache-2.0 */
/* Which files the agent reads for the users of a folder. */
#include "telemetry/source/tail_open.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/dir.h"
#include "os/fs_posix.h"
#include "os/owner.h"
#include "support/check_main.h"

enum { ROOT = 0, AGENT = 500, APP = 1000, OTHER = 1001 };

static const struct {
    const char *what;
    uid_t folder_owner;
    mode_t folder_mode;
    uid_t owner;
    mode_t mode;
    nlink_t links;
    bool reads;
} rows[] = {
    {"a log of root", ROOT, 0755, ROOT, 0640, 1, true},
    {"a log of a service in root's folder", ROOT, 0755, APP, 0640, 1, true},
    {"root's folder with a hard link that root made", ROOT, 0755, ROOT, 0600, 2, true},
    {"the agent's folder", AGENT, 0700, AGENT, 0600, 1, true},
    {"an application's own log", APP, 0755, APP, 0600, 1, true},
    {"/etc/shadow in an application's folder", APP, 0755, ROOT, 0640, 2, false},
    {"the same after root replaced /etc/shadow", APP, 0755, ROOT, 0640, 1, false},
    {"a key of the agent's user in an application's folder", APP, 0755, AGENT, 0600, 1, false},
    {"another user's file in an application's folder", APP, 0755, OTHER, 0600, 1, false},
    {"another user's hard link in an application's folder", APP, 0755, OTHER, 0600, 2, false},
    {"a hard link of one's own", APP, 0755, APP, 0600, 2, false},
    {"what everyone may read", APP, 0777, ROOT, 0644, 3, true},
    {"/etc/shadow in a world-writable folder", ROOT, 01777, ROOT, 0640, 2, false},
    {"the same after root replaced /etc/shadow, world-writable", ROOT, 01777, ROOT, 0640, 1, false},
    {"a user's log in a world-writable folder", ROOT, 01777, APP, 0600, 1, true},
    {"a user's hard link in a world-writable folder", ROOT, 01777, APP, 0600, 2, false},
    {"/var/log of a syslog group: root's log", ROOT, 0775, ROOT, 0640, 1, true},
    {"/var/log of a syslog group: the group's log", ROOT, 0775, APP, 0640, 1, true},
    {"/var/log of a syslog group: a hard link to /etc/shadow", ROOT, 0775, ROOT, 0640, 2, false},
    {"a world-writable folder of an application", APP, 0777, ROOT, 0600, 1, false},
};

START_TEST(owners)
{
    const struct stat folder = {.st_uid = rows[_i].folder_owner, .st_mode = S_IFDIR | rows[_i].folder_mode};
    const struct stat file = {.st_uid = rows[_i].owner, .st_mode = S_IFREG | rows[_i].mode, .st_nlink = rows[_i].links};
    const char *why = hf_owner_refuses(&folder, &file, AGENT);

    ck_assert_msg((why == NULL) == rows[_i].reads, "%s: %s", rows[_i].what, why != NULL ? why : "read");
}
END_TEST

static char dir[64];

static const char *below(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
    return path;
}

static bool allows(void *arg, const char *path)
{
    return strncmp(path, arg, strlen(arg)) == 0;
}

static void make_file(const char *name, mode_t mode)
{
    FILE *file = fopen(below(name), "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(below(name), mode), 0);
}

static void set_up(void)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/hf-open-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(mkdir(below("log"), 0755), 0);
    ck_assert_int_eq(mkdir(below("shared"), 0777), 0);
    ck_assert_int_eq(chmod(below("shared"), 01777), 0);
    make_file("log/plain", 0600);
    make_file("secret", 0600);
    ck_assert_int_eq(symlink("plain", below("log/link")), 0);
    ck_assert_int_eq(symlink("../secret", below("log/out")), 0);
    ck_assert_int_eq(symlink("../log/plain", below("shared/link")), 0);
    ck_assert_int_eq(link(below("secret"), below("shared/hard")), 0);
    ck_assert_int_eq(mkfifo(below("log/fifo"), 0600), 0);
}

static void tear_down(void)
{
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), dir, NULL), 0);
}

static const struct {
    const char *path;
    int want; /* 0: opens */
} opens[] = {
    {"log/plain", 0},      {"log/link", 0},  {"log/out", -EACCES},  {"shared/link", -ELOOP}, {"shared/hard", -EACCES},
    {"log/fifo", -EINVAL}, {"log", -EACCES}, {"log/none", -ENOENT}, {"secret", -EACCES},
};

START_TEST(opening)
{
    struct hf_err err = HF_ERR_INIT;
    struct stat st;
    char places[256];

    (void)snprintf(places, sizeof(places), "%s",
                   opens[_i].path[0] == 's' && opens[_i].path[1] == 'h' ? dir : below("log/"));
    int fd = hf_tail_open(hf_fs_posix(), below(opens[_i].path), allows, places, &st, &err);
    if (opens[_i].want == 0) {
        ck_assert_msg(fd >= 0, "%s: %s", opens[_i].path, err.cause);
        ck_assert(S_ISREG(st.st_mode));
        (void)close(fd);
    } else {
        ck_assert_msg(fd == opens[_i].want, "%s: %d %s", opens[_i].path, fd, err.cause);
        ck_assert_str_ne(err.cause, "");
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, owners, 0, (int)HF_LEN(rows));
    tcase_add_loop_test(tc, opening, 0, (int)HF_LEN(opens));
}

HF_TEST_MAIN("telemetry/tail_open", cases)
