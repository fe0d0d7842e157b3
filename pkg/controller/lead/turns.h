/* SPDX-License-Identifier: Apache-2.0 */
/* Pace of the leader's writes: objects take turns, each rests after its write, one timer wakes the first that is
 * due. */
#pragma once

#include "base/strmap.h"
#include "codec/json.h"
#include "kube/call.h"
#include "loop/world.h"

/* What each part of the controller works with. It outlives the parts. */
struct hf_leader_env {
    struct hf_kube *kube;
    struct hf_world world;    /* not its fs */
    bool (*leads)(void *arg); /* asked before each write */
    void *arg;
};

struct hf_turns;

/* First member of the writer's struct. */
struct hf_turns_object {
    struct hf_turns *turns;
    const char *name;
    uint64_t due_ns;                 /* monotonic; no write before */
    struct hf_kube_pending *pending; /* NULL: none in flight */
};

struct hf_turns_ops {
    /* The earliest monotonic time by the object alone; 0: at once; HF_NEVER: there is nothing to write. */
    uint64_t (*due_ns)(struct hf_turns_object *object);
    /* Sends, if still wanted. */
    void (*begin)(struct hf_turns_object *object);
    void (*answered)(struct hf_turns_object *object, const struct hf_kube_answer *answer);
    void (*done)(struct hf_turns_object *object); /* frees its members */
    size_t object_size, max_flying;
    uint64_t turn_ns; /* between objects */
};

struct hf_turns {
    const struct hf_leader_env *env;
    const struct hf_turns_ops *ops;
    struct hf_strmap objects;
    size_t n_flying;
    uint64_t next_turn_ns, armed_ns; /* HF_NEVER: not armed */
    struct hf_timer *timer;
};

/* Borrows `env` and `ops`. */
HF_MUST_USE int hf_turns_init(struct hf_turns *turns, const struct hf_leader_env *env, const struct hf_turns_ops *ops);
/* Frees the objects. May follow a failed hf_turns_init(). */
void hf_turns_done(struct hf_turns *turns);

/* The object `name`, zeroed if new; or NULL. */
void *hf_turns_make(struct hf_turns *turns, const char *name);

/* Wakes up by then; _look(): when the object is due. */
void hf_turns_arm(struct hf_turns *turns, uint64_t at_ns);
void hf_turns_look(struct hf_turns_object *object);

/* As hf_kube_call_send(). */
HF_MUST_USE int hf_turns_send(struct hf_turns_object *object, const struct hf_kube_call *call, struct hf_err *err);
/* Cancels what is in flight; then no write for this long. */
void hf_turns_rest(struct hf_turns_object *object, uint64_t pause_ns);
