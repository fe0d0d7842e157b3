/* telemetry/source/source.h - what every source of events is: made from its part of the policy, told when there is room again, freed.
 *
 * A source reads only as fast as its events are taken (offer says -EAGAIN: it pauses, and goes on when `resume` is called). Its position
 * (journal cursor, offset in a file) goes to disk only after the receipt of what was read is settled; after a crash it reads a little
 * again with the same ids, which the intake knows. Loop thread only; what blocks goes to a worker through sched. */
#pragma once

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/rand.h"
#include "loop/loop.h"
#include "telemetry/event/intake.h"
#include "web/metrics.h"

/* What sources and outlets are given. All borrowed, valid as long as the telemetry. */
struct hf_telemetry_world {
    struct hf_loop *loop; /* watch_fd, http clients; NULL in pure tests */
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    const struct hf_rand_ops *rand;
    struct hf_log *log;
    struct hf_metrics *metrics; /* may be NULL */
    const char *node;           /* name of this node */
    const char *user_agent;     /* "holdfast-agent/<version>" */
    const char *dir;            /* EDGE_STORAGE_DIR, exists */
    const char *proc, *sys, *pods,
        *journal; /* "/proc" "/sys" "/var/log/pods", journal's folder or NULL; with a host root in front in a pod */
    /* How a sink stands changed in a way that somebody may want to hear of: it takes again, or not any more, or has set its first
     * event aside. Called from the loop; must only note it. May be NULL. */
    void (*changed)(void *arg);
    void *changed_arg;
};

struct hf_source {
    const char *name;                         /* "journald"; static */
    void (*resume)(struct hf_source *source); /* there is room again */
    void (*free)(struct hf_source *source);
};

/* Each maker copies what it needs from `sources`. 0 and *ret_source, or -errno with *err: that source alone is off, which the
 * telemetry reports by name. */
typedef int hf_source_maker(const struct hf_telemetry_sources *sources, const struct hf_telemetry_world *world,
                            const struct hf_intake *intake, struct hf_source **ret_source, struct hf_err *err);

#define CREATE(class, number, create, ...) hf_source_maker hf_source_##create##_new;
HF_TELEMETRY_SOURCES(CREATE)
#undef CREATE
