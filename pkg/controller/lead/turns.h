/* SPDX-License-Identifier: Apache-2.0 */
/* The pace of the leader's writes of named objects: all objects together take turns, each rests after its write, and
 * one timer wakes the first that is due. For the thread of the loop. */
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "base/strmap.h"
#include "codec/json.h"
#include "kube/call.h"
#include "loop/sched.h"

struct hf_metrics;

/* What each part of the controller works with. It outlives the parts. */
struct hf_leader_env {
    struct hf_kube *kube;
    const struct hf_sched_ops *sched;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_metrics *metrics;
    bool (*leads)(void *arg); /* asked before each write */
    void *arg;
};

struct hf_turns;

/* The first member of the writer's own struct for an object. */
struct hf_turns_object {
    struct hf_turns *turns;
    const char *name;
    uint64_t due_ns;                 /* no write before this monotonic time */
    struct hf_kube_pending *pending; /* NULL: nothing is on its way */
};

struct hf_turns_ops {
    /* The earliest monotonic time by the object alone; 0: at once; HF_NEVER: there is nothing to write. */
    uint64_t (*due_ns)(struct hf_turns_object *object);
    /* Sends, if it still wants to; else the object has come to rest. */
    void (*begin)(struct hf_turns_object *object);
    void (*answered)(struct hf_turns_object *object, const struct hf_kube_answer *answer);
    void (*done)(struct hf_turns_object *object); /* frees what the object owns, not itself */
    size_t object_size, max_flying;
    uint64_t turn_ns; /* between two objects */
};

struct hf_turns {
    const struct hf_leader_env *env;
    const struct hf_turns_ops *ops;
    struct hf_strmap objects;
    size_t n_flying;
    uint64_t next_turn_ns, armed_ns; /* HF_NEVER: the timer is not armed */
    struct hf_timer *timer;
};

/* Borrows `env` and `ops`. -ENOMEM. */
HF_MUST_USE int hf_turns_init(struct hf_turns *turns, const struct hf_leader_env *env, const struct hf_turns_ops *ops);
/* Frees the objects. May follow a failed hf_turns_init(), or a zeroed struct. */
void hf_turns_done(struct hf_turns *turns);

/* The object of this name, made as zeros if it is new. NULL: out of memory. */
void *hf_turns_make(struct hf_turns *turns, const char *name);

/* Wakes the writer by this monotonic time; `_look` when the object is due. */
void hf_turns_arm(struct hf_turns *turns, uint64_t at_ns);
void hf_turns_look(struct hf_turns_object *object);

/* As hf_kube_call_send(). */
HF_MUST_USE int hf_turns_send(struct hf_turns_object *object, const struct hf_kube_call *call, struct hf_err *err);
/* Cancels what is on its way; then the object is not written for this long. */
void hf_turns_rest(struct hf_turns_object *object, uint64_t pause_ns);
