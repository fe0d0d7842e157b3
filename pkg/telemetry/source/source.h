/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/source/source.h - the interface that all sources of events have in common.
 *
 * A source reads only as fast as the intake accepts events. If the intake's offer() returns -EAGAIN, the source pauses
 * until its resume() is called. A source saves its position (such as a journal cursor, or an offset in a file) only up
 * to the data whose receipts have settled. After a crash the source therefore reads some data again. The source gives
 * the events in this data the same ids as before, so that the intake recognizes the events. Threads: loop thread only;
 * blocking work goes to a worker through `sched`. */
#pragma once

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/rand.h"
#include "config/config.h"
#include "loop/loop.h"
#include "telemetry/event/intake.h"
#include "web/metrics.h"

/* The link is the connection of this node to the sinks on other machines. The struct says what spec.connectivity of the
 * policy in effect allows on the link. The agent owns this struct and changes its fields. */
struct hf_telemetry_link {
    /* reason why the backlog of every sink waits now, such as "LinkWindowClosed"; NULL if the sinks may send their
     * backlogs */
    const char *closed;
    /* Called when a request to a sink on another machine has ended, unless the request failed before anything was sent.
     * `bytes` is the size of the request. `backlog` is true if the bytes count against maxBytesPerDay. May be NULL. */
    void (*sent)(void *arg, uint64_t bytes, bool backlog);
    void *arg;
};

/* The surroundings of sources and outlets. All pointers are borrowed and must stay valid as long as the telemetry
 * service exists. */
struct hf_telemetry_world {
    /* the event loop, for watches on descriptors and for HTTP clients; NULL in unit tests without a loop */
    struct hf_loop *loop;
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    const struct hf_rand_ops *rand;
    struct hf_log *log;
    struct hf_metrics *metrics;     /* may be NULL */
    const struct hf_config *config; /* bounds that the node sets (config/config.h); NULL means the defaults */
    enum hf_config_scope scope;     /* selects the bounds for the policy in effect, which may be signed or unsigned */
    const char *node;               /* name of this node */
    const char *user_agent;         /* value of the header User-Agent, "holdfast-agent/<version>" */
    const char *dir;                /* path of the telemetry folder (EDGE_STORAGE_DIR), which must exist */
    /* Paths of the host's "/proc", "/sys" and "/var/log/pods", and of the folder with systemd's journal. In a pod each
     * path begins with the mount point of the host's root. `journal` may be NULL, which means the default folder. */
    const char *proc, *sys, *pods, *journal;
    const char *audit; /* path of the folder with the agent's audit log; NULL if the agent keeps none */
    /* Points to a flag that is true while the policy's write budget is used up. The lane `bulk` of each sink
     * (sink/outlet.h) then accepts no events, and the sources wait as they do for a full queue. The lane `urgent` still
     * accepts events. NULL means that there is no write budget. Read the flag only on the loop thread. */
    const bool *writes_paused;
    /* The link of this node, which a policy may close; NULL means that the link is never closed. Requests to a sink on
     * this machine do not use the link. */
    const struct hf_telemetry_link *link;
    /* Called on the loop thread when a sink stops accepting events, accepts events again, or has its first dead letter,
     * and when the cause of a trouble has passed, so that the agent can report the change. The function must not call
     * back into telemetry; it may only record that a change happened. May be NULL. */
    void (*changed)(void *arg);
    void *changed_arg;
};

struct hf_source {
    const char *name; /* name of the source, such as "journald"; a static string */
    /* called when the intake may have room again after an offer() of any source returned -EAGAIN */
    void (*resume)(struct hf_source *source);
    void (*free)(struct hf_source *source);
};

/* The type of the functions that create a source. Such a function copies the settings that it needs from `sources`. It
 * returns 0 and sets *ret_source, or returns -errno and sets *err. After an error, the telemetry service reports the
 * name of the source that failed, and tries again every 10 s; the other sources still work. */
typedef int hf_source_maker(const struct hf_telemetry_sources *sources, const struct hf_telemetry_world *world,
                            const struct hf_intake *intake, struct hf_source **ret_source, struct hf_err *err);

#define CREATE(class, number, create, ...) hf_source_maker hf_source_##create##_new;
HF_TELEMETRY_SOURCES(CREATE)
#undef CREATE
