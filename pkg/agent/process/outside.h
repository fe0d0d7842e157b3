/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of the kernel. NULL: none (inotify limit, no netlink). */
#pragma once

#include <limits.h>

#include "loop/loop.h"

struct hf_outside;

/* Written, renamed, replaced or removed. Copies its arguments. */
struct hf_outside *hf_outside_watch_file(struct hf_loop *loop, const char *folder, const char *name,
                                         void (*changed)(void *arg), void *arg);

/* A second after an address, route or link came up, once for all. */
struct hf_outside *hf_outside_watch_links(struct hf_loop *loop, void (*changed)(void *arg), void *arg);

/* Set, or the machine woke, which the loop's timers do not count. */
struct hf_outside *hf_outside_watch_clock(struct hf_loop *loop, void (*changed)(void *arg), void *arg);

void hf_outside_free(struct hf_outside *outside);
HF_DEFINE_CLEANUP(struct hf_outside, hf_outside_free)

/* A program beside `self`, or NULL. Pure. */
const char *hf_outside_beside(const char *self, const char *name, char path[PATH_MAX]);

/* Of /proc/self/cgroup. False: not below system.slice, or does not fit. Pure. */
bool hf_outside_own_unit(struct hf_view cgroup, char *unit, size_t n);
