/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/strmap.h"
#include "steer/core.h"
#include "update/engine.h"
#include "update/kept/choice.h"
#include "web/metrics.h"

struct release;

/* The engine's metrics; all NULL if none are collected. */
struct counts {
    struct hf_metric_family *outcomes, *failures;
    struct hf_metric *fetched, *saved, *repairs, *rollbacks;
};

struct hf_update_engine {
    /* `strings` and `roots` own its texts */
    struct hf_update_params p;
    char *strings[6];
    char **roots;
    char *folder;     /* <state>/updates */
    char *orders_dir; /* <state>/rollbacks */
    /* maps a release name to its struct hf_order; order.c keeps this and the next two */
    struct hf_strmap orders;
    bool orders_unread; /* orders_dir could not be read */
    struct hf_watch *orders_watch;
    char *agent_path; /* for kind Agent: <state>/host/current */
    char *agent_folder;
    const char *agent_roots[2];
    int lock_fd;
    struct hf_kept_policy retain;
    bool quiescing; /* nothing starts, downloads stop */
    /* `active` has the turn */
    struct hf_steer_core core;
    struct hf_strmap releases;
    struct hf_strmap parked; /* struct parked_release (engine.c) by name */
    char boot[40];
    bool watchdog; /* the hardware watchdog caused this boot */
    uint64_t turns;
    struct counts counts;
    struct hf_buf trust_problem;
};

bool update_engine_has_turn(const struct release *release);
/* Whether the release name can be a file name. */
bool update_name_is_safe(const char *name);
