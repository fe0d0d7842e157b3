/* telemetry/source/source.h - the interface that all sources of events have in common.
 *
 * A source reads only as fast as the intake accepts. If `offer` returns -EAGAIN, the source pauses until `resume`. A
 * source saves its position (journal cursor, offset in a file) only up to the data whose receipts have settled. After a
 * crash it therefore reads some data again; the events get the ids that they had before, and the intake recognises
 * these ids. Threads: loop thread only; blocking work goes to a worker through `sched`. */
#pragma once

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/rand.h"
#include "config/config.h"
#include "loop/loop.h"
#include "telemetry/event/intake.h"
#include "web/metrics.h"

/* The surroundings of sources and outlets. All pointers are borrowed and must stay valid as long as the telemetry
 * service exists. */
struct hf_telemetry_world {
    struct hf_loop *loop; /* for watch_fd and HTTP clients; NULL in pure tests */
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    const struct hf_rand_ops *rand;
    struct hf_log *log;
    struct hf_metrics *metrics;     /* may be NULL */
    const struct hf_config *config; /* bounds that the node sets (config/config.h); NULL: the defaults */
    const char *node;               /* name of this node */
    const char *user_agent;         /* "holdfast-agent/<version>" */
    const char *dir;                /* the folder EDGE_STORAGE_DIR, which exists */
    /* the paths "/proc", "/sys", "/var/log/pods" and that of the journal's folder (NULL: the default folder); in a pod
     * each path begins with the folder where the host's root is mounted */
    const char *proc, *sys, *pods, *journal;
    /* Called on the loop when a change of a sink should be reported. Such a change is that the sink accepts events
     * again, stops accepting events, or has its first dead letter. The callee may only note that a change happened. May
     * be NULL. */
    void (*changed)(void *arg);
    void *changed_arg;
};

struct hf_source {
    const char *name;                         /* such as "journald"; static */
    void (*resume)(struct hf_source *source); /* called when the intake has room again */
    void (*free)(struct hf_source *source);
};

/* The type of the functions that create a source. Such a function copies the settings that it needs from `sources`. It
 * returns 0 and sets *ret_source, or returns -errno and sets *err; after an error the service reports the source's
 * name, and the other sources still work. */
typedef int hf_source_maker(const struct hf_telemetry_sources *sources, const struct hf_telemetry_world *world,
                            const struct hf_intake *intake, struct hf_source **ret_source, struct hf_err *err);

#define CREATE(class, number, create, ...) hf_source_maker hf_source_##create##_new;
HF_TELEMETRY_SOURCES(CREATE)
#undef CREATE
