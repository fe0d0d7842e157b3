/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/outside.h - watches for events that the kernel reports: a file has changed, or the network is back.
 * Threads: loop thread only. */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"

struct hf_outside;

/* Calls `changed` after somebody wrote, renamed, replaced or removed the file `name` in `folder`. Returns NULL if the
 * watch cannot start, for example because the kernel's limit of inotify instances is reached; the caller then has to
 * poll the file. Copies its arguments. */
struct hf_outside *hf_outside_watch_file(struct hf_loop *loop, const char *folder, const char *name,
                                         void (*changed)(void *arg), void *arg);

/* Calls `changed` one second after a network address or a route appears or a network link comes up, once for all that
 * happens in this second. Returns NULL if the watch cannot start, for example because netlink is not available. */
struct hf_outside *hf_outside_watch_links(struct hf_loop *loop, void (*changed)(void *arg), void *arg);

/* Calls `changed` after somebody set the wall clock, and after the machine woke from a suspend. The timers of the loop
 * do not count a suspend. Costs nothing meanwhile. Returns NULL if the watch cannot start. */
struct hf_outside *hf_outside_watch_clock(struct hf_loop *loop, void (*changed)(void *arg), void *arg);

void hf_outside_free(struct hf_outside *outside);
HF_DEFINE_CLEANUP(struct hf_outside, hf_outside_free)

/* Finds the systemd unit of this process in `cgroup`, the text of /proc/self/cgroup. Writes the unit's name into
 * unit[n] and returns true. Returns false if the text names no service below system.slice, or if the name does not fit.
 * Pure. */
bool hf_outside_own_unit(struct hf_view cgroup, char *unit, size_t n);
