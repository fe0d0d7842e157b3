/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/outside.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { READ_BYTES = 8192 };
#define GATHER_NS HF_NS_PER_S

struct hf_outside {
    struct hf_loop *loop;
    int fd;
    struct hf_loop_fd *watch;
    struct hf_timer *gather; /* links: events come in bursts */
    bool gathering;
    char name[64];
    void (*changed)(void *arg);
    void *arg;
};

void hf_outside_free(struct hf_outside *outside)
{
    if (outside == NULL)
        return;
    hf_loop_unwatch_fd(&outside->watch);
    if (outside->gather != NULL) {
        const struct hf_sched_ops *sched = hf_loop_sched(outside->loop);
        hf_timer_free(sched, outside->gather);
    }
    if (outside->fd >= 0)
        (void)close(outside->fd);
    free(outside);
}

static struct hf_outside *outside_new(struct hf_loop *loop, void (*changed)(void *arg), void *arg)
{
    struct hf_outside *outside = calloc(1, sizeof(*outside));

    if (outside != NULL)
        *outside = (struct hf_outside){.loop = loop, .fd = -1, .changed = changed, .arg = arg};
    return outside;
}

/* ---- a file ------------------------------------------------------------------------------------------------------ */

static void on_inotify(void *arg)
{
    struct hf_outside *outside = arg;
    _Alignas(struct inotify_event) char bytes[READ_BYTES];
    bool ours = false;
    ssize_t n;

    while ((n = read(outside->fd, bytes, sizeof(bytes))) > 0)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)(bytes + at);
            /* An overflow may have lost the event. */
            ours = ours || (event->mask & IN_Q_OVERFLOW) != 0 ||
                   (event->len > 0 && strcmp(event->name, outside->name) == 0);
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    if (ours)
        outside->changed(outside->arg);
}

struct hf_outside *hf_outside_watch_file(struct hf_loop *loop, const char *folder, const char *name,
                                         void (*changed)(void *arg), void *arg)
{
    _cleanup_(hf_outside_freep) struct hf_outside *outside = outside_new(loop, changed, arg);

    if (outside == NULL)
        return NULL;
    (void)snprintf(outside->name, sizeof(outside->name), "%s", name);
    outside->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (outside->fd < 0 ||
        inotify_add_watch(outside->fd, folder, IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE) < 0 ||
        hf_loop_watch_fd(loop, outside->fd, true, false, on_inotify, outside, &outside->watch) < 0)
        return NULL;
    return hf_steal(outside);
}

/* ---- links ------------------------------------------------------------------------------------------------------- */

static bool is_good_news(struct nlmsghdr *message)
{
    if (message->nlmsg_type == RTM_NEWADDR || message->nlmsg_type == RTM_NEWROUTE)
        return true;
    if (message->nlmsg_type != RTM_NEWLINK || message->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg)))
        return false;
    const struct ifinfomsg *link = NLMSG_DATA(message);
    return (link->ifi_flags & IFF_RUNNING) != 0;
}

static void on_netlink(void *arg)
{
    struct hf_outside *outside = arg;
    _Alignas(struct nlmsghdr) char bytes[READ_BYTES];
    bool news = false;
    ssize_t n;

    while ((n = recv(outside->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0 || (n < 0 && errno == ENOBUFS)) {
        if (n < 0) { /* the kernel dropped messages: one may have been good news */
            news = true;
            continue;
        }
        size_t left = (size_t)n;
        for (struct nlmsghdr *message = (struct nlmsghdr *)(void *)bytes; NLMSG_OK(message, left);
             message = NLMSG_NEXT(message, left))
            news = news || is_good_news(message);
    }
    if (!news || outside->gathering)
        return;
    outside->gathering = true;
    hf_timer_arm(hf_loop_sched(outside->loop), outside->gather, GATHER_NS);
}

static void on_gathered(void *arg)
{
    struct hf_outside *outside = arg;

    outside->gathering = false;
    outside->changed(outside->arg);
}

struct hf_outside *hf_outside_watch_links(struct hf_loop *loop, void (*changed)(void *arg), void *arg)
{
    _cleanup_(hf_outside_freep) struct hf_outside *outside = outside_new(loop, changed, arg);
    struct sockaddr_nl address = {.nl_family = AF_NETLINK,
                                  .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE |
                                               RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE};

    if (outside == NULL)
        return NULL;
    outside->gather = hf_timer_new(hf_loop_sched(loop), on_gathered, outside);
    outside->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (outside->gather == NULL || outside->fd < 0 ||
        bind(outside->fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        hf_loop_watch_fd(loop, outside->fd, true, false, on_netlink, outside, &outside->watch) < 0)
        return NULL;
    return hf_steal(outside);
}

/* ---- the clock --------------------------------------------------------------------------------------------------- */

/* A far end of the timer. The kernel takes the longest time that it knows. */
#define NEVER_S ((time_t)(sizeof(time_t) == 4 ? INT32_MAX : INT64_MAX / 2))

static void on_clock(void *arg)
{
    struct hf_outside *outside = arg;
    uint64_t expirations;

    if (read(outside->fd, &expirations, sizeof(expirations)) < 0 && errno == ECANCELED)
        outside->changed(outside->arg);
}

struct hf_outside *hf_outside_watch_clock(struct hf_loop *loop, void (*changed)(void *arg), void *arg)
{
    _cleanup_(hf_outside_freep) struct hf_outside *outside = outside_new(loop, changed, arg);
    const struct itimerspec never = {.it_value.tv_sec = NEVER_S};

    if (outside == NULL)
        return NULL;
    outside->fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (outside->fd < 0 ||
        timerfd_settime(outside->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) < 0 ||
        hf_loop_watch_fd(loop, outside->fd, true, false, on_clock, outside, &outside->watch) < 0)
        return NULL;
    return hf_steal(outside);
}

/* ---- own program, own unit --------------------------------------------------------------------------------------- */

const char *hf_outside_beside(const char *self, const char *name, char path[PATH_MAX])
{
    const char *slash = strrchr(self, '/');

    if (slash == NULL || snprintf(path, PATH_MAX, "%.*s/%s", (int)(slash - self), self, name) >= PATH_MAX)
        return NULL;
    return path;
}

/* The characters of a unit's name: systemd.unit(5). */
static bool is_service(struct hf_view name)
{
    static const char marks[] = ":-_.\\@";

    if (name.n <= 8 || memcmp(name.p + name.n - 8, ".service", 8) != 0)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && memchr(marks, c, sizeof(marks) - 1) == NULL)
            return false;
    }
    return true;
}

bool hf_outside_own_unit(struct hf_view cgroup, char *unit, size_t n)
{
    struct hf_view line, part;

    /* "0::/system.slice/holdfast-agent.service" (v2) or "1:name=systemd:/system.slice/..." (v1). */
    while (hf_view_split(&cgroup, '\n', &line)) {
        bool v2 = hf_view_starts(line, "0::"), v1 = memmem(line.p, line.n, ":name=systemd:", 14) != NULL;
        bool in_slice = false;
        if (!v2 && !v1)
            continue;
        while (hf_view_split(&line, '/', &part)) {
            if (in_slice && is_service(part) && snprintf(unit, n, "%.*s", (int)part.n, part.p) < (int)n)
                return true;
            in_slice = in_slice || hf_view_eq(part, "system.slice");
        }
    }
    return false;
}
