/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/supervised.h - the agent's side of the pipe to holdfast-supervisor: says that it is started, alive,
 * healthy, or ends on purpose; reads what the supervisor gave up.
 *
 * Without a supervisor nothing is written, and hf_supervised_life() is NULL. */
#pragma once

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "loop/sched.h"
#include "supervisor/life.h"

/* What an agent judges itself by. Nothing that a server says is in here. */
struct hf_supervised_facts {
    bool has_state;  /* the folder can be read, and its lock is this process's */
    bool has_turned; /* the cache is loaded, and one whole turn is done */
};

struct hf_supervised_params {
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    struct hf_log *log;
    const char *state_dir;
    uint64_t probation_ns;                         /* the facts hold for so long before it says `healthy` */
    struct hf_supervised_facts (*look)(void *arg); /* at each line */
    void (*stop)(void *arg, const char *why);      /* ends the process soon */
    void *arg;
};

struct hf_supervised;

/* The descriptor of the supervisor, from and out of the environment; CLOEXEC. -1: none. Call before any child. */
int hf_supervised_take_fd(void);

/* Takes `fd`, which may be -1. NULL: out of memory. */
struct hf_supervised *hf_supervised_new(const struct hf_supervised_params *params, int fd);
void hf_supervised_free(struct hf_supervised *supervised);

/* Before the loop turns, in a long start. */
void hf_supervised_alive(struct hf_supervised *supervised);
/* The agent is started; from now on a timer says that its loop turns. */
void hf_supervised_ready(struct hf_supervised *supervised);
bool hf_supervised_is(const struct hf_supervised *supervised);
/* NULL: there is no supervisor. */
const struct hf_life_ops *hf_supervised_life(const struct hf_supervised *supervised);

/* The pure rule, applied at each line: how long the facts have held, without sleep of the machine. */
struct hf_supervised_health {
    bool holds;
    uint64_t last_ns, held_ns;
};
void hf_supervised_judge(struct hf_supervised_health *health, const struct hf_supervised_facts *facts, uint64_t now_ns);
