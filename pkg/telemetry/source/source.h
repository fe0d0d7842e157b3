/* telemetry/source/source.h - the interface of all sources of events: create, resume, free.
 *
 * A source reads only as fast as the intake accepts: if `offer` returns -EAGAIN, the source pauses until `resume`. It
 * saves its position (journal cursor, offset in a file) only after the receipt of what it read has settled; after a
 * crash it reads a little again under the same ids, which the intake recognises. Threads: loop thread only; blocking
 * work goes to a worker through `sched`. */
#pragma once

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/rand.h"
#include "loop/loop.h"
#include "telemetry/event/intake.h"
#include "web/metrics.h"

/* The surroundings of sources and outlets. Everything is borrowed and valid as long as the telemetry service. */
struct hf_telemetry_world {
    struct hf_loop *loop; /* watch_fd, HTTP clients; NULL in pure tests */
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    const struct hf_rand_ops *rand;
    struct hf_log *log;
    struct hf_metrics *metrics; /* may be NULL */
    const char *node;           /* name of this node */
    const char *user_agent;     /* "holdfast-agent/<version>" */
    const char *dir;            /* EDGE_STORAGE_DIR; exists */
    /* "/proc", "/sys", "/var/log/pods" and the journal's folder (NULL: the default); in a pod the host's root comes
     * first */
    const char *proc, *sys, *pods, *journal;
    /* Called on the loop when a sink's state changes in a way worth reporting: it accepts again, it stops accepting, or
     * it has its first dead letter. The callee may only note it. May be NULL. */
    void (*changed)(void *arg);
    void *changed_arg;
};

struct hf_source {
    const char *name;                         /* "journald"; static */
    void (*resume)(struct hf_source *source); /* called when the intake has room again */
    void (*free)(struct hf_source *source);
};

/* Creates a source; copies what it needs from `sources`. 0 and *ret_source, or -errno with *err: then only this
 * source is off, and the service reports its name. */
typedef int hf_source_maker(const struct hf_telemetry_sources *sources, const struct hf_telemetry_world *world,
                            const struct hf_intake *intake, struct hf_source **ret_source, struct hf_err *err);

#define CREATE(class, number, create, ...) hf_source_maker hf_source_##create##_new;
HF_TELEMETRY_SOURCES(CREATE)
#undef CREATE
