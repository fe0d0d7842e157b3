/* SPDX-License-Identifier: Apache-2.0 */
/* Watches what the kernel reports. The watches are NULL where the kernel cannot be watched (such as without
 * netlink). */
#pragma once

#include <limits.h>

#include "loop/loop.h"

struct hf_outside;

/* Calls changed() when the file was written, renamed, replaced or removed. */
struct hf_outside *hf_outside_watch_file(struct hf_loop *loop, const char *folder, const char *name,
                                         void (*changed)(void *arg), void *arg);

/* Calls changed() a second after addresses, routes or links came up. */
struct hf_outside *hf_outside_watch_links(struct hf_loop *loop, void (*changed)(void *arg), void *arg);

/* Calls changed() when the clock was set, or the machine woke (timers of the loop do not count sleep). */
struct hf_outside *hf_outside_watch_clock(struct hf_loop *loop, void (*changed)(void *arg), void *arg);

void hf_outside_free(struct hf_outside *outside);
HF_DEFINE_CLEANUP(struct hf_outside, hf_outside_free)

/* Writes the path of `name` in the folder of program `self`. NULL: no folder, or too long. Pure. */
const char *hf_outside_beside(const char *self, const char *name, char path[PATH_MAX]);

/* Finds this process's unit in the text of /proc/self/cgroup. False: no service below system.slice, or it does not fit.
 * Pure. */
bool hf_outside_own_unit(struct hf_view cgroup, char *unit, size_t n);
