/* SPDX-License-Identifier: Apache-2.0 */
/* Watches of folders: one inotify descriptor for all. The kernel has one number for each folder, whatever the number of
 * watches that this table gives out for it. */
#include "loop/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "loop/core.h"

enum {
    READ_BYTES = 8192,
    EVENTS = IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
             IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
};

struct hf_watch {
    struct hf_list link;
    struct hf_watches *all;
    int number;
    bool due;
    void (*fire)(void *arg);
    void *arg;
};

struct hf_watches {
    struct hf_loop_guest guest;
    struct hf_loop *loop;
    struct hf_loop_task task;
    struct hf_list list;
    int fd;
    uv_poll_t *poll; /* frees itself */
};

/* A callback may remove any watch: look for the next one from the start each time. */
static void fire_due(struct hf_loop_task *task)
{
    struct hf_watches *all = hf_container_of(task, struct hf_watches, task);
    struct hf_list *it, *next;
    bool found = true;

    while (found) {
        found = false;
        hf_list_each(it, next, &all->list) {
            struct hf_watch *watch = hf_container_of(it, struct hf_watch, link);
            if (!watch->due)
                continue;
            watch->due = false;
            found = true;
            watch->fire(watch->arg);
            break;
        }
    }
}

/* number -1: an overflow, after which every watch may have missed something. */
static void mark(struct hf_watches *all, int number)
{
    struct hf_list *it, *next;

    hf_list_each(it, next, &all->list) {
        struct hf_watch *watch = hf_container_of(it, struct hf_watch, link);
        watch->due = watch->due || number < 0 || watch->number == number;
    }
}

static void on_readable(uv_poll_t *poll, HF_UNUSED int status, HF_UNUSED int events)
{
    struct hf_watches *all = poll->data;
    _Alignas(struct inotify_event) char bytes[READ_BYTES];
    ssize_t n;

    while ((n = read(all->fd, bytes, sizeof(bytes))) > 0)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)(bytes + at);
            mark(all, (event->mask & IN_Q_OVERFLOW) != 0 ? -1 : event->wd);
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    hf_loop_task_post(all->loop, &all->task);
}

static void free_poll(uv_handle_t *handle)
{
    free(handle);
}

static void end_watches(struct hf_loop_guest *guest)
{
    struct hf_watches *all = hf_container_of(guest, struct hf_watches, guest);

    hf_loop_task_drop(&all->task);
    uv_close((uv_handle_t *)all->poll, free_poll);
    (void)close(all->fd);
    all->loop->watches = NULL;
    free(all);
}

static struct hf_watches *watches_get(struct hf_loop *loop)
{
    if (loop->watches != NULL)
        return loop->watches;
    struct hf_watches *all = calloc(1, sizeof(*all));
    if (all == NULL)
        return NULL;
    all->loop = loop;
    hf_list_init(&all->list);
    hf_loop_task_init(&all->task, fire_due);
    all->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    all->poll = calloc(1, sizeof(*all->poll));
    if (all->fd < 0 || all->poll == NULL || uv_poll_init(&loop->uv, all->poll, all->fd) < 0) {
        if (all->fd >= 0)
            (void)close(all->fd);
        free(all->poll);
        free(all);
        return NULL;
    }
    all->poll->data = all;
    (void)uv_poll_start(all->poll, UV_READABLE, on_readable);
    hf_loop_guest_add(loop, &all->guest, end_watches);
    loop->watches = all;
    return all;
}

static int watch_add(void *ctx, const char *path, void (*fire)(void *arg), void *arg, struct hf_watch **ret_watch,
                     struct hf_err *err)
{
    struct hf_loop *loop = ctx;
    struct hf_watches *all = loop->closing ? NULL : watches_get(loop);
    struct hf_watch *watch = all != NULL ? calloc(1, sizeof(*watch)) : NULL;

    if (watch == NULL)
        return hf_err_set(err, ENOMEM, "watch '%.200s': out of memory, or the kernel has no inotify", path);
    int number = inotify_add_watch(all->fd, path, EVENTS);
    if (number < 0) {
        int code = errno;
        free(watch);
        return hf_err_sys(err, -code, "watch '%.200s'", path);
    }
    *watch = (struct hf_watch){.all = all, .number = number, .fire = fire, .arg = arg};
    hf_list_append(&all->list, &watch->link);
    *ret_watch = watch;
    return 0;
}

static void watch_remove(HF_UNUSED void *ctx, struct hf_watch *watch)
{
    struct hf_list *it, *next;
    bool shared = false;

    if (watch == NULL)
        return;
    hf_list_remove(&watch->link);
    hf_list_each(it, next, &watch->all->list)
        shared = shared || hf_container_of(it, struct hf_watch, link)->number == watch->number;
    if (!shared)
        (void)inotify_rm_watch(watch->all->fd, watch->number);
    free(watch);
}

void hf_watch_init(struct hf_loop *loop)
{
    loop->watch = (struct hf_watch_ops){.ctx = loop, .add = watch_add, .remove = watch_remove};
}
