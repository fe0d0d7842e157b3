/* SPDX-License-Identifier: Apache-2.0 */
/* update/engine_impl.h - internal: the engine itself. Threads: loop thread only. */
#pragma once

#include "base/strmap.h"
#include "steer/core.h"
#include "update/engine.h"

struct release;

/* The engine's metrics. All fields are NULL if the caller passed no `metrics`. Only counts.c writes these fields. */
struct counts {
    struct hf_metric_family *outcomes, *failures;
    struct hf_metric *fetched, *saved, *repairs, *rollbacks;
};

struct hf_update_engine {
    /* the caller's parameters; the strings in them are copies, which `strings` and `roots` own */
    struct hf_update_params p;
    char *strings[6];
    char **roots;
    char *folder; /* <state>/updates */
    int lock_fd;
    bool quiescing; /* the engine starts nothing new and stops its downloads */
    /* `active` is the release that has the turn: the right to work */
    struct hf_steer_core core;
    struct hf_strmap releases; /* maps a name to a struct release */
    struct hf_strmap parked;   /* maps a name to a struct parked_release (engine.c) */
    uint64_t turns;            /* number of turns that the engine has given to releases since it started */
    struct counts counts;
    struct hf_buf trust_problem; /* latest result of hf_trust_folder_inspect(); empty if there is no problem */
};

/* engine_core.c */

/* Makes the engine consider every release in the event loop's next iteration. */
void update_engine_wake(struct hf_update_engine *engine);
/* Makes the engine call the caller's `changed` in the event loop's next iteration. */
void update_engine_notify(struct hf_update_engine *engine);
bool update_engine_has_turn(const struct release *release);
/* Ends the turn of `release`. Does nothing if `release` does not have the turn. */
void update_engine_leave_turn(struct release *release);
