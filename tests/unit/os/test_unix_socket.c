/* SPDX-License-Identifier: Apache-2.0 */
#include "os/socket/unix_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/check_main.h"

static char folder[64], path[96];

static void set_up(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/hf-unix-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/s", folder);
}

static void tear_down(void)
{
    (void)unlink(path);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else is left */
}

static int open_it(mode_t mode, struct hf_unix_socket *name, struct hf_err *err)
{
    const struct hf_unix_socket_params params = {
        .path = path, .type = SOCK_STREAM, .mode = mode, .gid = (gid_t)-1, .backlog = 4};
    int fd = -1, r = hf_unix_socket_listen(&params, &fd, name, err);

    return r < 0 ? r : fd;
}

static int dial(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
    int r = connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
    (void)close(fd);
    return r;
}

START_TEST(listens)
{
    struct hf_unix_socket name = {.path = ""};
    struct stat st;
    int fd = open_it(0620, &name, NULL);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(lstat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0620);
    ck_assert_int_eq(dial(), 0);
    (void)close(fd);
    hf_unix_socket_remove(&name);
    ck_assert_int_eq(lstat(path, &st), -1);
    hf_unix_socket_remove(&name);
}
END_TEST

START_TEST(replaces_a_dead_one_only)
{
    struct hf_unix_socket first = {.path = ""}, second = {.path = ""};
    struct hf_err err = HF_ERR_INIT;
    int fd = open_it(0600, &first, NULL);

    ck_assert_int_eq(open_it(0666, &second, &err), -EADDRINUSE);
    ck_assert_msg(strstr(err.cause, path) != NULL, "%s", err.cause);
    ck_assert_int_eq(dial(), 0);
    (void)close(fd); /* as after SIGKILL: the name stays */
    fd = open_it(0666, &second, NULL);
    ck_assert_int_ge(fd, 0);
    hf_unix_socket_remove(&first); /* not ours any more */
    ck_assert_int_eq(dial(), 0);
    (void)close(fd);
}
END_TEST

START_TEST(refuses_what_is_no_socket)
{
    struct hf_unix_socket name = {.path = ""};
    struct stat st;

    ck_assert_int_eq(symlink("/dev/null", path), 0);
    ck_assert_int_eq(open_it(0600, &name, NULL), -EEXIST);
    ck_assert_int_eq(lstat(path, &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
    ck_assert_str_eq(name.path, "");
}
END_TEST

START_TEST(refuses_a_folder_of_others)
{
    struct hf_unix_socket name = {.path = ""};
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(chmod(folder, 01777), 0);
    ck_assert_int_eq(open_it(0600, &name, &err), -EPERM);
    ck_assert_msg(strstr(err.cause, folder) != NULL && strstr(err.cause, "0755") != NULL, "%s", err.cause);
}
END_TEST

START_TEST(refuses_a_long_path)
{
    struct hf_unix_socket name = {.path = ""};
    char longer[HF_UNIX_SOCKET_PATH + 1];
    const struct hf_unix_socket_params params = {.path = longer, .type = SOCK_STREAM, .gid = (gid_t)-1};
    int fd = -1;

    memset(longer, 'x', sizeof(longer) - 1);
    longer[0] = '/';
    longer[sizeof(longer) - 1] = '\0';
    ck_assert_int_eq(hf_unix_socket_listen(&params, &fd, &name, NULL), -ENAMETOOLONG);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, listens);
    tcase_add_test(tc, replaces_a_dead_one_only);
    tcase_add_test(tc, refuses_what_is_no_socket);
    tcase_add_test(tc, refuses_a_folder_of_others);
    tcase_add_test(tc, refuses_a_long_path);
}

HF_TEST_MAIN("os/unix_socket", cases)
