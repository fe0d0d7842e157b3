/* SPDX-License-Identifier: Apache-2.0 */
/* After -EAGAIN of the intake a source pauses until resume(). It saves its position up to settled receipts; what it
 * reads again has the same ids. Blocking work by `sched`. */
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

/* The link to sinks on other machines, by spec.connectivity. Owned and changed by the agent. */
struct hf_telemetry_link {
    const char *closed; /* why backlogs wait: "LinkWindowClosed", or NULL */
    /* A request over the link has ended after `bytes`; `backlog`: they count against maxBytesPerDay. May be NULL. */
    void (*sent)(void *arg, uint64_t bytes, bool backlog);
    void *arg;
};

/* For the service's life. */
struct hf_telemetry_env {
    struct hf_loop *loop; /* NULL in tests */
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    const struct hf_rand_ops *rand;
    struct hf_log *log;
    struct hf_metrics *metrics;     /* may be NULL */
    const struct hf_config *config; /* NULL: defaults */
    enum hf_config_scope scope;     /* of the policy in effect */
    const char *node;
    const char *user_agent;       /* "holdfast-agent/<version>" */
    struct hf_identity *identity; /* for sinks; may be NULL */
    const char *dir;              /* EDGE_STORAGE_DIR; exists */
    /* The host's, in a pod below its mount point. `journal` NULL: default. */
    const char *proc, *sys, *pods, *journal;
    const char *audit; /* audit log's folder */
    /* True: no write budget: `bulk` takes nothing, `urgent` does. NULL: no limit. */
    const bool *writes_paused;
    const struct hf_telemetry_link *link; /* NULL: never closed; not for sinks on this machine */
    /* Delivers by this table (sink/export.h) in place of the network: without credentials and without `link`. NULL:
     * network. */
    const struct hf_http_ops *exported;
    /* A sink stops or resumes accepting, a first dead letter, a trouble has passed. Do not call telemetry from it. May
     * be NULL. */
    void (*changed)(void *arg);
    void *changed_arg;
};

struct hf_source {
    const char *name;                         /* "journald"; static */
    void (*resume)(struct hf_source *source); /* there may be room */
    void (*free)(struct hf_source *source);
};

/* Copies what it needs of `sources`. After -errno the service reports it, and tries again every 10 s. */
typedef int hf_source_maker(const struct hf_telemetry_sources *sources, const struct hf_telemetry_env *env,
                            const struct hf_intake *intake, struct hf_source **ret_source, struct hf_err *err);

#define CREATE(class, number, create, ...) hf_source_maker hf_source_##create##_new;
HF_TELEMETRY_SOURCES(CREATE)
#undef CREATE
