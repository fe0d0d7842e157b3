/* SPDX-License-Identifier: Apache-2.0 */
#include "os/secret/guarded_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fs_posix.h"
#include "support/check_main.h"

static char dir[] = "/tmp/hf-guarded-XXXXXX";

static const char *at(const char *name)
{
    static char paths[4][160];
    static unsigned next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s%s%s", dir, name[0] != '\0' ? "/" : "", name);
    return path;
}

static void put(const char *name, const char *text, mode_t mode)
{
    FILE *file = fopen(at(name), "we");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(at(name), mode), 0);
}

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(mkdir(at("data"), 0755), 0);
    put("data/token", "one", 0600);
    put("plain", "two", 0644);
    put("writable", "three", 0622);
    ck_assert_int_eq(mkdir(at("open"), 0755), 0);
    put("open/token", "four", 0600);
    ck_assert_int_eq(chmod(at("open"), 0777), 0);
    ck_assert_int_eq(mkdir(at("sticky"), 0755), 0);
    put("sticky/token", "five", 0600);
    ck_assert_int_eq(chmod(at("sticky"), 01777), 0);
    ck_assert_int_eq(symlink("data", at("..data")), 0);
    ck_assert_int_eq(symlink("..data/token", at("mounted")), 0);
    ck_assert_int_eq(symlink("open/token", at("to-open")), 0);
    ck_assert_int_eq(symlink("loop", at("loop")), 0);
    ck_assert_int_eq(symlink("../", at("data/up")), 0);
    ck_assert_int_eq(symlink("nothing", at("dangling")), 0);
}

static void tear_down(void)
{
    static const char *const names[] = {"data/token", "data/up", "data",         "plain",    "writable",
                                        "open/token", "open",    "sticky/token", "sticky",   "..data",
                                        "mounted",    "to-open", "loop",         "dangling", ""};

    for (size_t i = 0; i < HF_LEN(names); i++)
        (void)remove(at(names[i]));
}

static const struct {
    const char *name, *text; /* text: of the file, or a part of the error */
    int r;
} rows[] = {
    {"plain", "two", 0},
    {"data/token", "one", 0},
    {"data/./token", "one", 0},
    {"open/../plain", "writable", -EACCES},
    {"data/up/plain", "two", 0},
    {"mounted", "one", 0},
    {"sticky/token", "five", 0},
    {"writable", "it is writable", -EACCES},
    {"open/token", "open' is writable", -EACCES},
    {"to-open", "open' is writable", -EACCES},
    {"loop", "too many links", -ELOOP},
    {"dangling", "No such file", -ENOENT},
    {"absent", "No such file", -ENOENT},
    {"data", "not a regular file", -EINVAL},
    {"plain/x", "Not a directory", -ENOTDIR},
};

START_TEST(file)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(64);
    struct hf_err err = HF_ERR_INIT;
    int r = hf_guarded_file_read(hf_fs_posix(), at(rows[_i].name), &text, &err);

    ck_assert_msg(r == rows[_i].r, "%s: %d %s", rows[_i].name, r, err.cause);
    ck_assert_msg(strstr(r == 0 ? hf_buf_str(&text) : err.cause, rows[_i].text) != NULL, "%s: %s", rows[_i].name,
                  err.cause);
}
END_TEST

START_TEST(bounds)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(2);

    ck_assert_int_eq(hf_guarded_file_read(hf_fs_posix(), at("plain"), &text, NULL), -E2BIG);
    ck_assert_int_eq(hf_guarded_file_read(hf_fs_posix(), "plain", &text, NULL), -EINVAL);
    ck_assert_int_eq(hf_guarded_file_read(hf_fs_posix(), "/dev/null", &text, NULL), -EACCES);
}
END_TEST

START_TEST(program)
{
    struct hf_err err = HF_ERR_INIT;

    put("data/program", "", 0700);
    ck_assert_int_eq(hf_guarded_file_check(hf_fs_posix(), at("..data/program"), &err), 0);
    put("data/program", "", 0722);
    ck_assert_int_eq(hf_guarded_file_check(hf_fs_posix(), at("data/program"), &err), -EACCES);
    ck_assert_ptr_nonnull(strstr(err.cause, "it is writable"));
    ck_assert_int_eq(remove(at("data/program")), 0);
    ck_assert_int_eq(hf_guarded_file_check(hf_fs_posix(), at("data/program"), &err), -ENOENT);
    ck_assert_int_eq(hf_guarded_file_check(hf_fs_posix(), at("plain"), &err), -EACCES);
    ck_assert_ptr_nonnull(strstr(err.cause, "it is not executable"));
    ck_assert_int_eq(hf_guarded_file_check(hf_fs_posix(), at("data"), &err), -EINVAL);
    ck_assert_int_eq(hf_guarded_file_check(hf_fs_posix(), at("open/token"), &err), -EACCES);
}
END_TEST

START_TEST(of_another_user)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(64);
    struct hf_err err = HF_ERR_INIT;

    if (geteuid() != 0)
        return;
    ck_assert_int_eq(chown(at("plain"), 12345, 0), 0);
    ck_assert_int_eq(hf_guarded_file_read(hf_fs_posix(), at("plain"), &text, &err), -EACCES);
    ck_assert_ptr_nonnull(strstr(err.cause, "another user"));
    ck_assert_int_eq(lchown(at("mounted"), 12345, 0), 0);
    ck_assert_int_eq(hf_guarded_file_read(hf_fs_posix(), at("mounted"), &text, &err), -EACCES);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, file, 0, HF_LEN(rows));
    tcase_add_test(tc, bounds);
    tcase_add_test(tc, program);
    tcase_add_test(tc, of_another_user);
}
HF_TEST_MAIN("os/guarded_file", cases)
