/* SPDX-License-Identifier: Apache-2.0 */
/* update/engine_impl.h - internal: the engine itself. */
#pragma once

#include "base/strmap.h"
#include "steer/core.h"
#include "update/engine.h"
#include "update/kept/choice.h"

struct release;

/* All NULL if the caller passed no `metrics`. Only counts.c writes them. */
struct counts {
    struct hf_metric_family *outcomes, *failures;
    struct hf_metric *fetched, *saved, *repairs, *rollbacks;
};

struct hf_update_engine {
    /* `strings` and `roots` own its strings */
    struct hf_update_params p;
    char *strings[6];
    char **roots;
    char *folder;            /* <state>/updates */
    char *orders_dir;        /* <state>/rollbacks */
    struct hf_strmap orders; /* of the site: name to struct hf_order. Only order.c writes these three. */
    bool orders_unread;      /* the folder cannot be read */
    struct hf_watch *orders_watch;
    char *agent_path; /* where releases of kind Agent install: <state>/host/current */
    char *agent_folder;
    const char *agent_roots[2]; /* agent_folder */
    int lock_fd;
    struct hf_kept_policy retain;
    bool quiescing; /* nothing new starts, and downloads stop */
    /* `active` is the release that has the turn: the right to work */
    struct hf_steer_core core;
    struct hf_strmap releases; /* name to struct release */
    struct hf_strmap parked;   /* name to struct parked_release (engine.c) */
    char boot[40];             /* the kernel's id of this boot; "": not read (boots.c) */
    bool watchdog;             /* the hardware's watchdog caused this boot */
    uint64_t turns;            /* given since the start */
    struct counts counts;
    struct hf_buf trust_problem; /* latest result of hf_trust_folder_inspect(), or empty */
};

/* engine_core.c */

/* update_engine_wake() lets every release be considered, update_engine_notify() calls the caller's `changed`; both in
 * the loop's next iteration. */
void update_engine_wake(struct hf_update_engine *engine);
void update_engine_notify(struct hf_update_engine *engine);
bool update_engine_has_turn(const struct release *release);
/* Without effect if `release` does not have the turn. */
void update_engine_leave_turn(struct release *release);
/* The name of a release can be a file name. */
bool update_name_is_safe(const char *name);
