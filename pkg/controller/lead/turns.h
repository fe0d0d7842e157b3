/* SPDX-License-Identifier: Apache-2.0 */
/* Paces the leader's writes: objects take turns, each rests after its write, one timer wakes the first that is due. */
#pragma once

#include "base/strmap.h"
#include "codec/json.h"
#include "kube/call.h"
#include "loop/world.h"

/* What each part of the controller works with; outlives the parts. */
struct hf_leader_env {
    struct hf_kube *kube;
    struct hf_world world;
    bool (*leads)(void *arg);
    void *arg;
};

struct hf_turns;

/* The first member of a writer's struct for its objects. */
struct hf_turns_object {
    struct hf_turns *turns;
    const char *name;
    uint64_t due_ns;                 /* no write before this monotonic time */
    struct hf_kube_pending *pending; /* the request in flight, or NULL */
};

struct hf_turns_ops {
    /* Returns when the object wants its next write (monotonic); 0: at once; HF_NEVER: it has nothing to write. */
    uint64_t (*due_ns)(struct hf_turns_object *object);
    /* Sends the write, if it is still wanted. */
    void (*begin)(struct hf_turns_object *object);
    void (*answered)(struct hf_turns_object *object, const struct hf_kube_answer *answer);
    void (*done)(struct hf_turns_object *object);
    size_t object_size, max_flying;
    uint64_t turn_ns;
};

struct hf_turns {
    const struct hf_leader_env *env;
    const struct hf_turns_ops *ops;
    struct hf_strmap objects;
    size_t n_flying;
    uint64_t next_turn_ns, armed_ns;
    struct hf_timer *timer;
};

/* Borrows `env` and `ops`. */
HF_MUST_USE int hf_turns_init(struct hf_turns *turns, const struct hf_leader_env *env, const struct hf_turns_ops *ops);
/* Frees the objects. May follow a failed hf_turns_init(). */
void hf_turns_done(struct hf_turns *turns);

/* Returns the object `name`, zeroed if new; or NULL. */
void *hf_turns_make(struct hf_turns *turns, const char *name);

/* hf_turns_arm() wakes the turns at `at_ns` at the latest, hf_turns_look() when the object is due. */
void hf_turns_arm(struct hf_turns *turns, uint64_t at_ns);
void hf_turns_look(struct hf_turns_object *object);

HF_MUST_USE int hf_turns_send(struct hf_turns_object *object, const struct hf_kube_call *call, struct hf_err *err);
/* Cancels the object's request in flight, and lets the object write nothing for `pause_ns`. */
void hf_turns_rest(struct hf_turns_object *object, uint64_t pause_ns);
