/* SPDX-License-Identifier: Apache-2.0 */
/* A source makes events of what it reads. After -EAGAIN of the intake it pauses until resume() or a timer. Readers of
 * logs save their position up to settled receipts; what they read again has the same ids. */
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

/* The link to sinks on other machines, which spec.connectivity opens and closes. The agent owns it. */
struct hf_telemetry_link {
    const char *closed; /* why backlogs wait, such as "LinkWindowClosed"; or NULL */
    /* Reports that a request sent `bytes`. `backlog`: they count against maxBytesPerDay. May be NULL. */
    void (*sent)(void *arg, uint64_t bytes, bool backlog);
    void *arg;
};

/* What all parts of telemetry use. Valid as long as the service. */
struct hf_telemetry_env {
    struct hf_loop *loop; /* NULL in tests */
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    const struct hf_rand_ops *rand;
    struct hf_log *log;
    struct hf_metrics *metrics;     /* may be NULL */
    const struct hf_config *config; /* NULL: defaults */
    enum hf_config_scope scope;
    const char *node;
    const char *user_agent; /* "holdfast-agent/<version>" */
    struct hf_identity *identity;
    const char *dir; /* existing folder EDGE_STORAGE_DIR */
    /* Folders of the host; in a pod, below the host's mount point. `journal` NULL: the default. */
    const char *proc, *sys, *pods, *journal;
    const char *audit; /* folder of the audit log */
    /* True: the write budget is spent, and `bulk` accepts nothing. NULL: no limit. */
    const bool *writes_paused;
    const struct hf_telemetry_link *link; /* NULL: never closed */
    /* Outlets deliver through this table (sink/export.h), without credentials and `link`. NULL: by the network. */
    const struct hf_http_ops *exported;
    /* A sink stops or resumes working, has its first dead letter, or a trouble has passed. Must not call telemetry.
     * May be NULL. */
    void (*changed)(void *arg);
    void *changed_arg;
};

struct hf_source {
    const char *name;                         /* such as "journald"; static */
    void (*resume)(struct hf_source *source); /* there may be room for events again */
    void (*free)(struct hf_source *source);
};

/* Copies what it needs of `sources`. After -errno the service tries again every 10 s. */
typedef int hf_source_maker(const struct hf_telemetry_sources *sources, const struct hf_telemetry_env *env,
                            const struct hf_intake *intake, struct hf_source **ret_source, struct hf_err *err);

#define CREATE(class, number, create, ...) hf_source_maker hf_source_##create##_new;
HF_TELEMETRY_SOURCES(CREATE)
#undef CREATE
