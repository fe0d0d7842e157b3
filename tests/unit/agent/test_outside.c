/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/outside.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/check_main.h"

static const struct {
    const char *text, *want; /* NULL: none */
} cgroups[] = {
    {"0::/system.slice/holdfast-agent.service\n", "holdfast-agent.service"},
    {"0::/system.slice/holdfast.slice/holdfast-agent.service/inner\n", "holdfast-agent.service"},
    {"12:pids:/x\n1:name=systemd:/system.slice/edge.service\n0::/\n", "edge.service"},
    {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/bash.scope\n", NULL},
    {"0::/kubepods.slice/kubepods-burstable.slice/cri-containerd-abc.scope\n", NULL},
    {"0::/\n", NULL},
    {"", NULL},
    {"0::/system.slice/.service", NULL},
};

START_TEST(own_unit)
{
    char unit[64] = "";
    bool found = hf_outside_own_unit(hf_view_of(cgroups[_i].text), unit, sizeof(unit));

    ck_assert_msg(found == (cgroups[_i].want != NULL), "%s: '%s'", cgroups[_i].text, unit);
    if (found)
        ck_assert_str_eq(unit, cgroups[_i].want);
}
END_TEST

struct heard {
    struct hf_loop *loop;
    unsigned times;
};

static void hear(void *arg)
{
    struct heard *heard = arg;

    heard->times++;
    hf_loop_stop(heard->loop);
}

static void give_up(void *arg)
{
    hf_loop_stop(arg);
}

static void write_file(const char *folder, const char *name)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    (void)close(fd);
}

START_TEST(a_file)
{
    char folder[] = "/tmp/holdfast-outside-XXXXXX", path[256];
    struct hf_err err = HF_ERR_INIT;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    struct heard heard = {.loop = hf_loop_new(&err)};
    ck_assert_ptr_nonnull(heard.loop);
    const struct hf_sched_ops *sched = hf_loop_sched(heard.loop);
    struct hf_timer *timer = hf_timer_new(sched, give_up, heard.loop);
    struct hf_outside *watch = hf_outside_watch_file(heard.loop, folder, "hold", hear, &heard);
    ck_assert_ptr_nonnull(watch);
    write_file(folder, "other");
    hf_timer_arm(sched, timer, 200 * HF_NS_PER_MS);
    hf_loop_run(heard.loop);
    ck_assert_uint_eq(heard.times, 0);
    write_file(folder, "hold");
    hf_timer_arm(sched, timer, 5 * HF_NS_PER_S);
    hf_loop_run(heard.loop);
    ck_assert_uint_eq(heard.times, 1);
    (void)snprintf(path, sizeof(path), "%s/hold", folder);
    ck_assert_int_eq(unlink(path), 0);
    hf_loop_run(heard.loop);
    ck_assert_uint_eq(heard.times, 2);
    hf_outside_free(watch);
    hf_timer_free(sched, timer);
    hf_loop_free(heard.loop);
    (void)snprintf(path, sizeof(path), "%s/other", folder);
    (void)unlink(path);
    (void)rmdir(folder);
}
END_TEST

START_TEST(no_such_folder)
{
    struct hf_err err = HF_ERR_INIT;
    struct hf_loop *loop = hf_loop_new(&err);

    ck_assert_ptr_null(hf_outside_watch_file(loop, "/nonexistent/folder", "hold", hear, NULL));
    struct hf_outside *links = hf_outside_watch_links(loop, hear, NULL);
    hf_outside_free(links);
    hf_loop_free(loop);
}
END_TEST

/* In a network of its own, so that nobody else's links are touched. */
START_TEST(links)
{
    struct hf_err err = HF_ERR_INIT;
    struct ifreq request = {.ifr_name = "lo"};

    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
        (void)printf("SKIP: no network namespace to be had: %s\n", strerror(errno));
        return;
    }
    struct heard heard = {.loop = hf_loop_new(&err)};
    const struct hf_sched_ops *sched = hf_loop_sched(heard.loop);
    struct hf_timer *timer = hf_timer_new(sched, give_up, heard.loop);
    struct hf_outside *watch = hf_outside_watch_links(heard.loop, hear, &heard);
    ck_assert_ptr_nonnull(watch);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    request.ifr_flags = IFF_UP;
    ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    hf_timer_arm(sched, timer, 5 * HF_NS_PER_S);
    hf_loop_run(heard.loop);
    ck_assert_uint_eq(heard.times, 1); /* link, addresses and routes: one piece of news */
    request.ifr_flags = 0;
    ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    hf_timer_arm(sched, timer, 1500 * HF_NS_PER_MS);
    hf_loop_run(heard.loop);
    ck_assert_uint_eq(heard.times, 1); /* a link that goes is no reason to hurry */
    (void)close(fd);
    hf_outside_free(watch);
    hf_timer_free(sched, timer);
    hf_loop_free(heard.loop);
}
END_TEST

/* Sets the wall clock to the time that it shows. */
START_TEST(a_clock)
{
    struct hf_err err = HF_ERR_INIT;
    struct timespec now;
    struct heard heard = {.loop = hf_loop_new(&err)};
    const struct hf_sched_ops *sched = hf_loop_sched(heard.loop);
    struct hf_timer *timer = hf_timer_new(sched, give_up, heard.loop);
    struct hf_outside *watch = hf_outside_watch_clock(heard.loop, hear, &heard);

    ck_assert_ptr_nonnull(watch);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &now), 0);
        if (clock_settime(CLOCK_REALTIME, &now) < 0) {
            (void)printf("SKIP: the clock may not be set: %s\n", strerror(errno));
            break;
        }
        hf_timer_arm(sched, timer, 5 * HF_NS_PER_S);
        hf_loop_run(heard.loop);
        ck_assert_uint_eq(heard.times, i + 1);
        hf_timer_arm(sched, timer, 100 * HF_NS_PER_MS);
        hf_loop_run(heard.loop);
        ck_assert_uint_eq(heard.times, i + 1); /* once for each leap */
    }
    hf_outside_free(watch);
    hf_timer_free(sched, timer);
    hf_loop_free(heard.loop);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, own_unit, 0, HF_LEN(cgroups));
    tcase_add_test(tc, a_file);
    tcase_add_test(tc, no_such_folder);
    tcase_add_test(tc, links);
    tcase_add_test(tc, a_clock);
}

HF_TEST_MAIN("agent/outside", cases)
