/* SPDX-License-Identifier: Apache-2.0 */
/* support/simloop.h - loop/sched.h, base/clock.h and base/rand.h on virtual time: whole processes in one test, replayable by
 * a seed.
 *
 *     struct hf_simloop *loop = hf_simloop_new(seed);
 *     struct hf_simproc *node = hf_simproc_new(loop, "node-1");
 *     ... give hf_simproc_sched(node), hf_simproc_clock(node), hf_simproc_rand(node) to the code under test ...
 *     hf_simloop_run_for(loop, 60 * HF_NS_PER_S);
 *
 * Time stands still while code runs and jumps to the next event: an hour costs what happens in it. Events of the same instant
 * run in order of asking when the seed is 0, in an order the seed picks otherwise. A job runs as two events, its work and its
 * done, each after a delay the seed picks below the process's job delay; no real thread is used, so nothing here races.
 * With hf_simproc_set_pauses() the work itself takes time, too: other events run in the middle of it.
 *
 * A killed process is one whose power was cut: its timers never fire, what it submits is refused, what it had submitted is
 * handed back (as cancelled when its work never ran), so that the code under test can be freed as usual; its file system and
 * network tables must be dead too (simfs, simnet). Kill from between events (hf_simloop_after_each, hf_simloop_post, the
 * test itself), never from inside the process's own code: a table that cuts the power freezes itself and lets the test do it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/world.h"

#define HF_SIM_UNIX_START (1795161600ull * HF_NS_PER_S) /* 2026-11-20T08:00:00Z */

struct hf_simloop;
struct hf_simproc;

struct hf_simloop *hf_simloop_new(uint64_t seed);
void hf_simloop_free(struct hf_simloop *loop); /* every process must be freed; posted calls that are left are dropped */
HF_DEFINE_CLEANUP(struct hf_simloop, hf_simloop_free)

uint64_t hf_simloop_now_ns(const struct hf_simloop *loop); /* virtual time since hf_simloop_new() */
uint64_t hf_simloop_below(struct hf_simloop *loop,
                          uint64_t bound); /* the world's own random numbers, not a process's */

/* Run the next event; false when there is none. */
bool hf_simloop_step(struct hf_simloop *loop);
/* Run all events of the next `ns`; time then stands at its end. Returns how many ran. */
size_t hf_simloop_run_for(struct hf_simloop *loop, uint64_t ns);
/* Run until `met` (asked before each event) or until `ns` have gone by; whether it was met. */
bool hf_simloop_run_until(struct hf_simloop *loop, bool (*met)(void *arg), void *arg, uint64_t ns);
/* Call `check` after every event: the place for invariants. */
void hf_simloop_after_each(struct hf_simloop *loop, void (*check)(void *arg), void *arg);
/* Call `fire` once, `delay_ns` from now, whatever happens to any process: the world's own events (cuts, heals). */
void hf_simloop_post(struct hf_simloop *loop, uint64_t delay_ns, void (*fire)(void *arg), void *arg);

/* A process: its boot is now (its monotonic clock starts at 5 s), its wall clock is right. `name` is copied. */
struct hf_simproc *hf_simproc_new(struct hf_simloop *loop, const char *name);
/* The machine has booted at `boot_ns` of the loop (hf_simloop_now_ns()): a process that starts later in the same boot has
 * the same monotonic clock. */
void hf_simproc_set_boot(struct hf_simproc *proc, uint64_t boot_ns);
void hf_simproc_free(struct hf_simproc *proc); /* kills first; its timers must be freed */
HF_DEFINE_CLEANUP(struct hf_simproc, hf_simproc_free)
void hf_simproc_kill(struct hf_simproc *proc);
bool hf_simproc_dead(const struct hf_simproc *proc);
const char *hf_simproc_name(const struct hf_simproc *proc);
const struct hf_sched_ops *hf_simproc_sched(struct hf_simproc *proc);
const struct hf_clock_ops *hf_simproc_clock(struct hf_simproc *proc);
const struct hf_rand_ops *hf_simproc_rand(struct hf_simproc *proc);
/* These three and `fs`, which may be NULL; without log and metrics. */
struct hf_world hf_simproc_world(struct hf_simproc *proc, const struct hf_fs_ops *fs);
void hf_simproc_set_job_delay(struct hf_simproc *proc, uint64_t max_ns); /* of work and of done, each; default 1 ms */
/* Work of jobs pauses at some calls of hf_simproc_pause(), each time for at most `max_ns`, now and then for 50 times as
 * long; default 0: never. */
void hf_simproc_set_pauses(struct hf_simproc *proc, uint64_t max_ns);
/* Where work of the process `arg` may pause; does nothing outside work. 0, or -EIO when the process is dead: work that is
 * left then runs to its end, and must change nothing. For hf_simfs_before_each(). */
int hf_simproc_pause(void *arg);
/* Each timer fires up to `max_ns` late, as on a busy machine; default 0. */
void hf_simproc_set_lateness(struct hf_simproc *proc, uint64_t max_ns);
void hf_simproc_set_unix_offset(struct hf_simproc *proc, int64_t off_ns); /* a wall clock that lies */
/* What the kernel says of the wall clock; default 0: synchronized and exact. HF_NEVER: not synchronized. */
void hf_simproc_set_sync_error(struct hf_simproc *proc, uint64_t error_ns);
size_t hf_simproc_timers(const struct hf_simproc *proc); /* how many exist: a leak check */
size_t hf_simproc_jobs(const struct hf_simproc *proc);   /* how many are on their way */
