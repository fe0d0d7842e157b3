/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/source/source.h - what all sources of events have in common.
 *
 * After -EAGAIN of the intake a source pauses until resume(). It saves its position only up to settled receipts, and
 * gives data that it reads again after a crash the same ids. Threads: loop thread only; blocking work goes through
 * `sched`. */
#pragma once

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/rand.h"
#include "config/config.h"
#include "loop/http/http.h"
#include "loop/loop.h"
#include "telemetry/event/intake.h"
#include "web/metrics.h"

/* The connection to sinks on other machines, as spec.connectivity allows. Owned and changed by the agent. */
struct hf_telemetry_link {
    const char *closed; /* reason to hold every sink's backlog ("LinkWindowClosed"), or NULL */
    /* A request over the link has ended after sending `bytes`; `backlog`: they use up maxBytesPerDay. May be NULL. */
    void (*sent)(void *arg, uint64_t bytes, bool backlog);
    void *arg;
};

/* Borrowed, valid as long as the telemetry service. */
struct hf_telemetry_world {
    struct hf_loop *loop; /* NULL in tests without a loop */
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    const struct hf_rand_ops *rand;
    struct hf_log *log;
    struct hf_metrics *metrics;     /* may be NULL */
    const struct hf_config *config; /* the node's bounds; NULL: defaults */
    enum hf_config_scope scope;     /* policy in effect: selects the bounds */
    const char *node;
    const char *user_agent;       /* "holdfast-agent/<version>" */
    struct hf_identity *identity; /* of the node, for sinks; may be NULL */
    const char *dir;              /* EDGE_STORAGE_DIR; must exist */
    /* The host's, below its root's mount point in a pod. `journal` may be NULL: the default folder. */
    const char *proc, *sys, *pods, *journal;
    const char *audit; /* folder of the audit log, or NULL */
    /* True while the policy's write budget is used up: lane `bulk` accepts nothing, `urgent` still does. NULL: no
     * budget. Loop thread only. */
    const bool *writes_paused;
    const struct hf_telemetry_link *link; /* NULL: never closed; sinks on this machine do not use it */
    /* Deliver by this table (telemetry/sink/export.h) instead of the network: without credentials and without `link`.
     * NULL: over the network. */
    const struct hf_http_ops *exported;
    /* On the loop thread, when a sink stops or resumes accepting, has its first dead letter, or a trouble has passed.
     * Must not call back into telemetry. May be NULL. */
    void (*changed)(void *arg);
    void *changed_arg;
};

struct hf_source {
    const char *name;                         /* "journald"; static */
    void (*resume)(struct hf_source *source); /* the intake may have room again */
    void (*free)(struct hf_source *source);
};

/* Copies what it needs of `sources`. After -errno the service reports the source and tries again every 10 s. */
typedef int hf_source_maker(const struct hf_telemetry_sources *sources, const struct hf_telemetry_world *world,
                            const struct hf_intake *intake, struct hf_source **ret_source, struct hf_err *err);

#define CREATE(class, number, create, ...) hf_source_maker hf_source_##create##_new;
HF_TELEMETRY_SOURCES(CREATE)
#undef CREATE
