/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's end of the pipe to holdfast-supervisor: reports that the agent has started, is alive or healthy, or ends
 * on purpose. Without a supervisor, hf_supervised_life() is NULL. */
#pragma once

#include "loop/world.h"
#include "supervisor/life.h"

/* Facts by which an agent judges itself; none depends on a server. */
struct hf_supervised_facts {
    bool has_state;  /* the state folder is readable and locked by this process */
    bool has_turned; /* the cache is loaded, and one whole turn done */
};

struct hf_supervised_params {
    struct hf_world world;
    const char *state_dir;
    uint64_t probation_ns; /* time for which the facts must hold before the agent reports healthy */
    struct hf_supervised_facts (*look)(void *arg);
    void (*stop)(void *arg, const char *why);
    void *arg;
};

struct hf_supervised;

/* Takes the pipe's descriptor (CLOEXEC) out of the environment; -1: none. Call it before any fork. */
int hf_supervised_take_fd(void);

/* Owns `fd`; it may be -1. */
struct hf_supervised *hf_supervised_new(const struct hf_supervised_params *params, int fd);
void hf_supervised_free(struct hf_supervised *supervised);

/* Call it during a long start. Accepts NULL. */
void hf_supervised_alive(struct hf_supervised *supervised);
/* Reports that the start is done; a timer then reports that the loop runs. */
void hf_supervised_ready(struct hf_supervised *supervised);
bool hf_supervised_is(const struct hf_supervised *supervised);
const struct hf_life_ops *hf_supervised_life(const struct hf_supervised *supervised);

/* For how long the facts have held, without time asleep. Pure. */
struct hf_supervised_health {
    bool holds;
    uint64_t last_ns, held_ns;
};
void hf_supervised_judge(struct hf_supervised_health *health, const struct hf_supervised_facts *facts, uint64_t now_ns);
