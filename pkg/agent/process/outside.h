/* agent/process/outside.h - events that the kernel reports: a file changed, the network is back. Loop thread only. */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"

struct hf_outside;

/* Calls `changed` after somebody wrote, renamed, replaced or removed the file `name` in `folder`. Returns NULL if the
 * kernel grants no inotify instance (the kernel limits their number); the caller then has to poll. Copies its
 * arguments. */
struct hf_outside *hf_outside_watch_file(struct hf_loop *loop, const char *folder, const char *name,
                                         void (*changed)(void *arg), void *arg);

/* Calls `changed` when an address or a route appears or a link comes up, but at most once a second. Returns NULL if
 * netlink is not available. */
struct hf_outside *hf_outside_watch_links(struct hf_loop *loop, void (*changed)(void *arg), void *arg);

void hf_outside_free(struct hf_outside *outside);
HF_DEFINE_CLEANUP(struct hf_outside, hf_outside_free)

/* Finds this process's systemd unit in the text of /proc/self/cgroup and writes its name into unit[n]. Returns false if
 * there is none. Pure. */
bool hf_outside_own_unit(struct hf_view cgroup, char *unit, size_t n);
