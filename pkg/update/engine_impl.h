/* SPDX-License-Identifier: Apache-2.0 */
/* Internal: the engine itself. */
#pragma once

#include "base/strmap.h"
#include "steer/core.h"
#include "update/engine.h"
#include "update/kept/choice.h"
#include "web/metrics.h"

struct release;

/* NULL without `metrics`. Only counts.c writes it. */
struct counts {
    struct hf_metric_family *outcomes, *failures;
    struct hf_metric *fetched, *saved, *repairs, *rollbacks;
};

struct hf_update_engine {
    /* its strings are in the next two */
    struct hf_update_params p;
    char *strings[6];
    char **roots;
    char *folder;            /* <state>/updates */
    char *orders_dir;        /* <state>/rollbacks */
    struct hf_strmap orders; /* name to struct hf_order. Only order.c writes this and the next two */
    bool orders_unread;      /* the folder */
    struct hf_watch *orders_watch;
    char *agent_path; /* for kind Agent: <state>/host/current */
    char *agent_folder;
    const char *agent_roots[2]; /* agent_folder */
    int lock_fd;
    struct hf_kept_policy retain;
    bool quiescing; /* nothing starts, downloads stop */
    /* `active` has the turn */
    struct hf_steer_core core;
    struct hf_strmap releases; /* to struct release */
    struct hf_strmap parked;   /* to struct parked_release (engine.c) */
    char boot[40];             /* kernel's id of this boot */
    bool watchdog;             /* the hardware's caused this boot */
    uint64_t turns;            /* given so far */
    struct counts counts;
    struct hf_buf trust_problem; /* hf_trust_folder_inspect(), or empty */
};

/* In step.c. */
bool update_engine_has_turn(const struct release *release);
/* In order.c. Can be a file name. */
bool update_name_is_safe(const char *name);
