/* agent/outside.h - what the kernel tells a process of the world around it: a file in a folder changed, the link is back. */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"

struct hf_outside;

/* `changed` is called after the file `name` in `folder` was written, renamed to or from, or removed. NULL when there is no watch
 * to be had (inotify instances are few): the caller then looks now and then. Borrows nothing. */
struct hf_outside *hf_outside_watch_file(struct hf_loop *loop, const char *folder, const char *name,
                                         void (*changed)(void *arg), void *arg);

/* `changed` is called when an address or a route appeared, or a link came up: at most once a second. NULL when there is no
 * netlink. */
struct hf_outside *hf_outside_watch_links(struct hf_loop *loop, void (*changed)(void *arg), void *arg);

void hf_outside_free(struct hf_outside *outside);
HF_DEFINE_CLEANUP(struct hf_outside, hf_outside_free)

/* The systemd unit that /proc/self/cgroup (given as text) says this process is in, into unit[n]; false: none. Pure. */
bool hf_outside_own_unit(struct hf_view cgroup, char *unit, size_t n);
