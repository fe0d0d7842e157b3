/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "os/fs_posix.h"

#include "support/check_main.h"

#define TEXT "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nexec: [/bin/true]\n"

static char dir[] = "/tmp/hf-config-XXXXXX", path[64], other[64];

static void put(const char *where, const char *text, mode_t mode)
{
    FILE *file = fopen(where, "we");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(where, mode), 0);
}

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/agent.yaml", dir);
    (void)snprintf(other, sizeof(other), "%s/other.yaml", dir);
}

static void tear_down(void)
{
    (void)unlink(path);
    (void)unlink(other);
    (void)rmdir(dir);
}

/* Loads the file; `says` is in its only fault, NULL: no fault, and then `in_effect` says if the file's text holds. */
static void expect(const char *says, bool in_effect)
{
    _cleanup_(hf_config_freep) struct hf_config *config = NULL;

    ck_assert_int_eq(hf_config_load(hf_fs_posix(), path, false, &config, NULL), 0);
    const char *fault = hf_config_fault(config, 0);
    ck_assert_msg((says == NULL) == (fault == NULL), "%s", fault != NULL ? fault : "no fault");
    if (says != NULL)
        ck_assert_msg(strstr(fault, says) != NULL && strncmp(fault, path, strlen(path)) == 0, "%s", fault);
    ck_assert_int_eq(hf_config_requires_signed_policy(config), says != NULL);
    ck_assert_int_eq(hf_config_is_usable(config), says == NULL);
    ck_assert_int_eq(hf_config_allows_exec(config, "/bin/false", NULL), !in_effect);
}

START_TEST(absent)
{
    _cleanup_(hf_config_freep) struct hf_config *config = NULL;

    expect(NULL, false);
    ck_assert_int_eq(hf_config_load(hf_fs_posix(), path, true, &config, NULL), 0);
    ck_assert(!hf_config_is_usable(config));
    ck_assert_ptr_nonnull(strstr(hf_config_fault(config, 0), "open the file: No such file"));
}
END_TEST

START_TEST(present)
{
    put(path, TEXT, 0644);
    expect(NULL, true);
    put(path, TEXT, 0600);
    expect(NULL, true);
}
END_TEST

START_TEST(writable_for_others)
{
    put(path, TEXT, 0666);
    expect("the file is writable by group or others", false);
    put(path, TEXT, 0664);
    expect("the file is writable by group or others", false);
    put(path, TEXT, 0644);
    ck_assert_int_eq(chmod(dir, 0777), 0);
    expect("is writable by group or others (chmod go-w)", false);
    ck_assert_int_eq(chmod(dir, 01777), 0);
    expect(NULL, true);
}
END_TEST

START_TEST(of_another_user)
{
    put(path, TEXT, 0644);
    if (geteuid() != 0)
        return;
    ck_assert_int_eq(chown(path, 12345, 0), 0);
    expect("the file belongs to another user", false);
    ck_assert_int_eq(chown(path, 0, 0), 0);
    ck_assert_int_eq(chown(dir, 12345, 0), 0);
    expect("belongs to another user", false);
}
END_TEST

START_TEST(links_and_other_files)
{
    put(other, TEXT, 0644);
    ck_assert_int_eq(symlink(other, path), 0);
    expect("symbolic link", false);
    ck_assert_int_eq(unlink(other), 0);
    expect("symbolic link", false); /* dangling: not absent */
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkfifo(path, 0644), 0);
    expect("not a regular file", false);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    expect("not a regular file", false);
    ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(too_large)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);

    while (text.n <= HF_CONFIG_MAX_BYTES)
        ck_assert_int_eq(hf_buf_add_str(&text, TEXT "# a comment that makes the file long\n"), 0);
    put(path, hf_buf_str(&text), 0644);
    expect("larger than 256 KiB", false);
}
END_TEST

START_TEST(relative)
{
    _cleanup_(hf_config_freep) struct hf_config *config = NULL;

    ck_assert_int_eq(hf_config_load(hf_fs_posix(), "agent.yaml", false, &config, NULL), 0);
    ck_assert_str_eq(hf_config_fault(config, 0), "agent.yaml: expected an absolute path");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, absent);
    tcase_add_test(tc, present);
    tcase_add_test(tc, writable_for_others);
    tcase_add_test(tc, of_another_user);
    tcase_add_test(tc, links_and_other_files);
    tcase_add_test(tc, too_large);
    tcase_add_test(tc, relative);
}
HF_TEST_MAIN("config/load", cases)
