/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/outside.h - watches for what the kernel reports. Each returns NULL if the watch cannot start (inotify
 * limit, no netlink). */
#pragma once

#include <limits.h>

#include "base/buf.h"
#include "loop/loop.h"

struct hf_outside;

/* The file was written, renamed, replaced or removed. If NULL, poll it. Copies its arguments. */
struct hf_outside *hf_outside_watch_file(struct hf_loop *loop, const char *folder, const char *name,
                                         void (*changed)(void *arg), void *arg);

/* One second after an address, a route or a link came up, once for all of that second. */
struct hf_outside *hf_outside_watch_links(struct hf_loop *loop, void (*changed)(void *arg), void *arg);

/* The wall clock was set, or the machine woke: the loop's timers do not count a suspend. */
struct hf_outside *hf_outside_watch_clock(struct hf_loop *loop, void (*changed)(void *arg), void *arg);

void hf_outside_free(struct hf_outside *outside);
HF_DEFINE_CLEANUP(struct hf_outside, hf_outside_free)

/* The path of the program of this name beside `self`. NULL: not known. Pure. */
const char *hf_outside_beside(const char *self, const char *name, char path[PATH_MAX]);

/* From /proc/self/cgroup. False: no service below system.slice, or it does not fit. Pure. */
bool hf_outside_own_unit(struct hf_view cgroup, char *unit, size_t n);
