/* agent/agent.h - the node agent: follows the desired state, has the update engine install it, and reports the status.
 *
 *        source --> follow --> objects --> (plan) --> update engine
 *           ^          |                                 | changed
 *           |          `--> diskq --> cache              v
 *           `------------- report <------- status <--- turn
 *
 * Every event notes the work that it makes due and asks for a turn. A turn runs in the next round of the loop: the
 * agent judges staleness and hold, makes the plan, hands the plan to the engine, builds the status, and sets the time
 * of the next turn. Because a turn does all the work that is due, the order of events does not matter, and an extra
 * turn does no harm. The agent has one timer and polls nothing.
 *
 * hf_agent_new() loads the cache and the engine's journals and acts on them before the first packet arrives. Loop
 * thread only. */
#pragma once

#include "agent/home.h"
#include "api/syncpolicy.h"
#include "base/rand.h"
#include "config/config.h"
#include "kube/source.h"
#include "loop/http/http.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/sched.h"
#include "loop/unit.h"
#include "node/clock.h"
#include "web/metrics.h"

struct hf_agent_params {
    struct hf_home *home; /* borrowed, open; provides the file system and the clock */
    const struct hf_rand_ops *rng;
    const struct hf_sched_ops *sched;
    const struct hf_source_ops *source;
    /* every status that the source accepted comes back through a subscription; the agent then knows that the source has
     * it */
    bool source_echoes;
    /* the agent writes to another server than it reads from (kube/split.h); contact with the server for writes decides
     * when to write */
    bool status_apart;
    const struct hf_http_ops *http; /* downloads artifacts from any origin, without credentials */
    const struct hf_proc_ops *proc;
    const struct hf_probe_ops *probe;
    const struct hf_unit_ops *unit;
    struct hf_log *log;         /* may be NULL */
    struct hf_metrics *metrics; /* may be NULL; do not format them after hf_agent_free() */
    const char *node_name;
    const char *version; /* this program's version */
    const char *trust_dir;
    const struct hf_config *config; /* bounds that the node sets (config/config.h); NULL: the defaults */
    const char *const *roots;       /* update roots, at most 7; NULL ends */
    const char *arch;               /* NULL: the architecture of this program */
    const char *facts_root;         /* see node/probe.h; "" on a real node */
    bool pod_mode;
    bool once;             /* the process ends by itself when its work is done; the status says that it will */
    const char *host_root; /* pod mode: folder where the host's file system is mounted; NULL: "/" */
    uid_t uid;             /* user of this process */
    const char *own_unit;  /* systemd unit of this process; NULL: none */
    uint64_t retry_base_ns;
    enum hf_clock_ntp (*ntp)(void); /* hf_clock_ntp_read on a real node; may be NULL */
    /* Called at start, and when the policy in effect or the node's labels (an object of strings) may have changed.
     * May be NULL. */
    void (*policy_changed)(void *arg, const struct hf_syncpolicy *policy, const json_t *labels);
    /* File into which the agent writes each new status for local readers; it also writes the file again at each
     * interval. The file should be on a file system in memory. NULL: none. */
    const char *run_path;
    /* Returns the telemetry part of a status as a new object, or NULL. May be NULL. */
    json_t *(*telemetry)(void *arg);
    /* Called at most once: when the node has installed and reported everything (see hf_agent_result()), or when the
     * agent cannot read the folder of objects. May be NULL. */
    void (*settled)(void *arg);
    /* Called when the stop that hf_agent_stop() began has ended and everything is on the disk. */
    void (*stopped)(void *arg);
    void *arg;
};

struct hf_agent;

/* Borrows the strings and tables of `params` until hf_agent_free(). */
HF_MUST_USE int hf_agent_new(const struct hf_agent_params *params, struct hf_agent **ret_agent, struct hf_err *err);

/* Ends the agent at once, as a crash would. For an orderly end, call hf_agent_stop() first. */
void hf_agent_free(struct hf_agent *agent);
HF_DEFINE_CLEANUP(struct hf_agent, hf_agent_free)

enum hf_agent_stop {
    HF_AGENT_STOP_REQUESTED, /* somebody stops the agent: write a last status with this news */
    HF_AGENT_STOP_DONE,      /* the agent has done its work (--once): write no further status */
};

/* Saves the data that a later start needs (resume points, last contact, sequence). For HF_AGENT_STOP_REQUESTED, also
 * writes a last status and waits up to 2 s for the answer of the server. Then calls `stopped`. Steps of the update
 * engine continue until hf_agent_free(). */
void hf_agent_stop(struct hf_agent *agent, enum hf_agent_stop why);

/* Reads the file <state>/hold again. Call this function when the file may have changed. */
void hf_agent_hold_changed(struct hf_agent *agent);

/* Call when something important changed in the telemetry part of the status (a breaker, a dead letter). The agent then
 * writes the status before the next heartbeat. */
void hf_agent_telemetry_changed(struct hf_agent *agent);

/* Returns true if the agent knows the desired state: from the source, or from the cache of an earlier process. */
bool hf_agent_ready(const struct hf_agent *agent);

/* Returns advice for a person if the source is in reach but refuses to give the desired state; else NULL. */
const char *hf_agent_source_failure(const struct hf_agent *agent);

/* Returns 0 if every selected update is Committed or Incompatible, else 1. Also returns 1 if the agent cannot read the
 * folder of objects. */
int hf_agent_result(const struct hf_agent *agent);
