/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/telemetry/source_fixture.h"

#include <sys/socket.h>
#include <sys/un.h>

static struct hf_source *source;
static char path[192];

static int make(struct hf_err *err)
{
    const struct hf_telemetry_sources sources = {.socket_path = path};

    return hf_source_socket_new(&sources, &world, &intake, &source, err);
}

static void set_up(void)
{
    struct hf_err err = HF_ERR_INIT;

    fix_set_up_real();
    (void)snprintf(path, sizeof(path), "%s/in.sock", dir);
    ck_assert_msg(make(&err) == 0, "%s", err.cause);
}

static void tear_down(void)
{
    if (source != NULL)
        source->free(source);
    fix_tear_down();
}

static int open_sender(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)snprintf(to.sun_path, sizeof(to.sun_path), "%.100s", path);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

START_TEST(lines)
{
    static const char *const datagrams[] = {"plain",
                                            "<11>with priority",
                                            "<0>",
                                            "<999>no priority",
                                            "two\nlines\r\n\n",
                                            "",
                                            "{\"msg\":\"json\",\"level\":\"error\",\"a\":1}",
                                            "bad \xff byte",
                                            "<14>{\"msg\":\"both\"}"};
    int fd = open_sender();

    for (size_t i = 0; i < HF_LEN(datagrams); i++)
        ck_assert_int_eq(send(fd, datagrams[i], strlen(datagrams[i]), 0), (ssize_t)strlen(datagrams[i]));
    run_until_kept(8);
    ck_bodies("plain", "with priority", "<999>no priority", "two", "lines", "json", "bad \xff byte", "both");
    ck_assert_ptr_nonnull(strstr(fix.lines[1], "\"severity\":\"error\""));
    ck_assert_ptr_nonnull(strstr(fix.lines[5], "\"severity\":\"error\",\"attributes\":{\"a\":\"1\"}"));
    ck_assert_ptr_nonnull(strstr(fix.lines[0], "\"source\":\"socket\",\"kind\":\"log\",\"severity\":\"info\""));
    (void)close(fd);
}
END_TEST

/* Without room nothing is read, the sender's socket fills up, and nothing of what it took is lost. */
START_TEST(back_pressure)
{
    int fd = open_sender(), sent = 0;
    char text[64];

    fix.room = 5;
    for (int quiet = 0; quiet < 20 && sent < 5000;) {
        int n = snprintf(text, sizeof(text), "line %d", sent);
        if (send(fd, text, (size_t)n, 0) == n) {
            sent++;
            quiet = 0;
        } else {
            ck_assert_int_eq(errno, EAGAIN);
            run_s(0.01);
            quiet++;
        }
    }
    ck_assert_int_lt(sent, 5000);
    ck_assert_uint_eq(fix.n, 5);
    fix.room = SIZE_MAX;
    source->resume(source);
    run_until_kept((size_t)sent);
    for (int i = 0; i < sent; i++) {
        (void)snprintf(text, sizeof(text), "line %d", i);
        ck_assert_str_eq(fix.bodies[i], text);
    }
    (void)close(fd);
}
END_TEST

enum { FLOOD_DATAGRAMS = 9, FLOOD_LINES = 2000 };

static struct hf_timer *turn;
static size_t offers_before, most_offers;

/* Runs once in each turn of the loop. */
static void on_turn(void *arg)
{
    (void)arg;
    most_offers = HF_MAX(most_offers, fix.offers - offers_before);
    offers_before = fix.offers;
    hf_timer_arm(world.sched, turn, 0);
}

/* Datagrams full of short lines do not hold the loop until all of them are read. */
START_TEST(a_flood_leaves_turns_to_others)
{
    char text[2 * FLOOD_LINES];
    int fds[FLOOD_DATAGRAMS];

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 2 != 0 ? '\n' : 'a';
    for (size_t i = 0; i < FLOOD_DATAGRAMS; i++) {
        fds[i] = open_sender();
        ck_assert_int_eq(send(fds[i], text, sizeof(text), 0), (ssize_t)sizeof(text));
    }
    turn = hf_timer_new(world.sched, on_turn, NULL);
    offers_before = most_offers = 0;
    on_turn(NULL);
    run_until_kept((size_t)FLOOD_DATAGRAMS * FLOOD_LINES);
    hf_timer_free(world.sched, turn);
    ck_assert_uint_gt(most_offers, 0);
    ck_assert_uint_le(most_offers, (size_t)2 * FLOOD_LINES);
    for (size_t i = 0; i < FLOOD_DATAGRAMS; i++)
        (void)close(fds[i]);
}
END_TEST

static bool exists(const char *name)
{
    struct stat st;

    return lstat(name, &st) == 0;
}

static ino_t inode(void)
{
    struct stat st;

    ck_assert_int_eq(lstat(path, &st), 0);
    return st.st_ino;
}

START_TEST(the_name)
{
    struct hf_err err = HF_ERR_INIT;
    struct stat st;

    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0666);
    ck_assert(!exists(below(".holdfast-socket.new")));
    source->free(source);
    ck_assert(!exists(path));
    (void)put("in.sock", "somebody's file");
    source = NULL;
    ck_assert_int_eq(make(&err), -EEXIST);
    ck_assert(exists(path));
    (void)snprintf(path, sizeof(path), "%s/none/in.sock", dir);
    ck_assert_int_eq(make(&err), -ENOENT);
    (void)snprintf(path, sizeof(path), "%s/%095d", dir, 1);
    ck_assert_int_eq(make(&err), -ENAMETOOLONG);
}
END_TEST

/* Makes a socket of this type at `path` and returns its descriptor. */
static int bound(int type, const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    (void)snprintf(at.sun_path, sizeof(at.sun_path), "%.100s", name);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

/* A socket at the path that a process is bound to stays, whatever its type and whether it listens. */
START_TEST(live_socket)
{
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM, SOCK_SEQPACKET};

    source->free(source);
    for (size_t i = 0; i < 2 * HF_LEN(types); i++) {
        struct hf_err err = HF_ERR_INIT;
        int fd = bound(types[i / 2], path);
        if (i % 2 == 1 && types[i / 2] != SOCK_DGRAM)
            ck_assert_int_eq(listen(fd, 1), 0);
        ino_t before = inode();
        source = NULL;
        ck_assert_int_eq(make(&err), -EADDRINUSE);
        ck_assert_uint_eq(inode(), before);
        (void)close(fd);
        (void)unlink(path);
    }
}
END_TEST

/* A socket that another program left behind stays; the one that a killed agent left behind goes. */
START_TEST(dead_socket)
{
    struct hf_err err = HF_ERR_INIT;
    char aside[256];
    ino_t before;

    (void)snprintf(aside, sizeof(aside), "%s.aside", path);
    ck_assert_int_eq(rename(path, aside), 0); /* the source's end does not find the socket and the record there */
    ck_assert_int_eq(rename(below("sources"), below("aside")), 0);
    source->free(source);
    source = NULL;
    ck_assert_int_eq(rename(aside, path), 0);
    ck_assert_int_eq(rename(below("aside"), below("sources")), 0);
    ck_assert_msg(make(&err) == 0, "%s", err.cause);
    (void)close(open_sender()); /* somebody is bound to it again */
    source->free(source);
    source = NULL;
    (void)close(bound(SOCK_DGRAM, path));
    before = inode();
    ck_assert_int_eq(make(&err), -EPERM);
    ck_assert_ptr_nonnull(strstr(err.cause, "not the agent's"));
    ck_assert_uint_eq(inode(), before);
    (void)close(bound(SOCK_DGRAM, below(".holdfast-socket.new"))); /* killed between bind and rename */
    (void)unlink(path);
    ck_assert_msg(make(&err) == 0, "%s", err.cause);
}
END_TEST

/* The end removes the agent's own socket only. */
START_TEST(taken_name)
{
    (void)unlink(path);
    int fd = bound(SOCK_STREAM, path);

    source->free(source);
    source = NULL;
    ck_assert(exists(path));
    (void)close(fd);
}
END_TEST

/* A file of another user, which only root can make for a test. */
START_TEST(foreign_socket)
{
    struct hf_err err = HF_ERR_INIT;

    if (geteuid() != 0)
        return;
    source->free(source);
    source = NULL;
    (void)close(bound(SOCK_DGRAM, path));
    ck_assert_int_eq(chown(path, 12345, 12345), 0);
    ck_assert_int_eq(make(&err), -EPERM);
    ck_assert(exists(path));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, lines);
    tcase_add_test(tc, back_pressure);
    tcase_add_test(tc, a_flood_leaves_turns_to_others);
    tcase_add_test(tc, the_name);
    tcase_add_test(tc, live_socket);
    tcase_add_test(tc, dead_socket);
    tcase_add_test(tc, taken_name);
    tcase_add_test(tc, foreign_socket);
}

HF_TEST_MAIN("telemetry/source_socket", cases)
