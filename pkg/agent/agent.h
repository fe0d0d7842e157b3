/* SPDX-License-Identifier: Apache-2.0 */
/* agent/agent.h - the node agent: follows the desired state, passes it to the update engine to install, and reports the
 * status.
 *
 *        source --> follow --> objects --> (plan) --> update engine
 *           ^          |                                 | changed
 *           |          `--> diskq --> cache              v
 *           `------------- report <------- status <--- turn
 *
 * Every event records which work has become due, and wakes the agent for a turn. A turn runs in the next iteration of
 * the event loop. In a turn the agent computes staleness and hold, makes the plan, passes the plan to the engine,
 * builds the status, and sets the time of the next turn. Because a turn does all the work that is due, the order of
 * events does not matter, and an extra turn does no harm. One timer starts the turns.
 *
 * hf_agent_new() loads the cache and the engine's journals, so that the agent acts before the source has answered.
 * Threads: loop thread only. */
#pragma once

#include "agent/home.h"
#include "api/syncpolicy.h"
#include "base/rand.h"
#include "config/config.h"
#include "kube/kube.h"
#include "kube/source.h"
#include "loop/http/client.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/sched.h"
#include "loop/unit.h"
#include "loop/watch.h"
#include "node/clock.h"
#include "os/fs_counter.h"
#include "web/metrics.h"

struct hf_access; /* steps/access.h */

struct hf_agent_params {
    struct hf_home *home; /* the open state folder, which also provides the file system and the clock; borrowed */
    const struct hf_rand_ops *rng;
    const struct hf_sched_ops *sched;
    const struct hf_source_ops *source;
    /* True if each status that the source accepts comes back through the subscription to this node's EdgeNode. A copy
     * of the status in <state>/outbox.json then stays there until the agent has seen the status come back. */
    bool source_echoes;
    /* True if the server to which the agent writes statuses is not the server from which it reads (kube/split.h).
     * Contact with the server for writes then decides when the agent writes. */
    bool status_apart;
    /* Client of the server that receives Events about this node; borrowed. The agent sends no Events if `events` is
     * NULL, or while the server is a MetaServer. */
    struct hf_kube *events;
    /* Client of the server from which the desired state comes, for ConfigMaps, Flux sources and objects that entries of
     * spec.manifests name; borrowed. NULL if the source is a folder. */
    struct hf_kube *source_kube;
    /* client for the kubelet of this node (kube/upstream.h); NULL if the agent has no credentials for it */
    const struct hf_http_ops *kubelet_http;
    const struct hf_http_ops *http; /* downloads artifacts from any origin, without credentials */
    struct hf_access *access;       /* mirrors and credentials of these downloads; NULL: none */
    const struct hf_proc_ops *proc;
    /* absolute path of holdfast-tpm, which seals copies of secrets to the TPM; NULL: the agent seals none */
    const char *tpm_program;
    const struct hf_probe_ops *probe;
    const struct hf_unit_ops *unit;
    /* reports changes in folders; if NULL, the agent looks for changes of manifests only once per interval of the
     * policy */
    const struct hf_watch_ops *watch;
    struct hf_log *log;         /* log of the agent; may be NULL */
    struct hf_metrics *metrics; /* may be NULL; do not format the metrics after hf_agent_free() */
    const char *node_name;
    const char *version; /* version of this program */
    const char *trust_dir;
    const struct hf_config *config; /* bounds that the node sets (config/config.h); NULL means the defaults */
    const char *const *roots;       /* folders below which releases may install: at most 7 paths; NULL ends the array */
    const char *arch;               /* processor architecture of the node; NULL means that of this program */
    /* folder that stands for "/" when the agent reads facts (node/probe.h); "" on a real node */
    const char *facts_root;
    bool pod_mode;
    bool labels_by_controller; /* report labels in the status; the controller writes them to the Node */
    bool once;                 /* the process ends when its work is done (--once), and the status reports this mode */
    const char *host_root;     /* in pod mode, mount point of the host's file system (NULL means "/") */
    uid_t uid;                 /* user of this process */
    const char *storage_dir;   /* folder of telemetry, to watch its file system; NULL if there is none */
    /* File system for updates, so that their writes are counted separately; NULL means the file system of `home`. */
    const struct hf_fs_ops *update_fs;
    /* Array of the bytes that each part of the process has written, indexed by enum hf_fs_part; NULL if nothing counts
     * these bytes. */
    const struct hf_fs_counter *written;
    const char *own_exe;    /* path of this program, which no release may replace; NULL if unknown, and in a pod */
    const char *own_unit;   /* systemd unit of this process; NULL if it has none */
    uint64_t retry_base_ns; /* base of the growing delays between attempts (base/backoff.h) */
    /* Called at the start of the agent, and when the policy in effect or the node's labels may have changed. `labels`
     * is a JSON object of strings. May be NULL. */
    void (*policy_changed)(void *arg, const struct hf_syncpolicy *policy, const json_t *labels);
    /* Called when the policy's budget of writes is used up, and when there is budget again. May be NULL. */
    void (*writes_paused)(void *arg, bool paused);
    /* Called when the gate for bulk transfers (api/link/link.h) has changed. `closed` is the reason why the gate is
     * closed, such as "LinkQuotaUsed", or NULL if the gate is open. The function pointer may be NULL. */
    void (*link_changed)(void *arg, const char *closed);
    /* Returns what the agent has measured of the network by its requests to the API server. NULL if the source is a
     * folder. */
    struct hf_http_traffic (*api_traffic)(void *arg);
    /* File to which the agent writes each new status for local programs. The agent also writes the file again at each
     * interval of the policy, so the file should be on a file system in memory. NULL if there is no such file. */
    const char *run_path;
    /* Returns the telemetry part of a status as a new object, or NULL if there is none. The pointer may be NULL. */
    json_t *(*telemetry)(void *arg);
    /* Returns why the node has no valid client certificate, and sets *ret_reason to the reason of the condition
     * ClientCertificateValid; returns NULL if there is no such problem. The pointer may be NULL. */
    const char *(*certificate_problem)(void *arg, const char **ret_reason);
    /* Called with the uid of this node's Node each time the source reports the Node. The pointer may be NULL. */
    void (*node_seen)(void *arg, const char *uid);
    /* Called at most once, after the agent has reported its result. Either the agent can do nothing more for the
     * desired state then, or the source is a folder that the agent cannot read. hf_agent_result() returns whether the
     * agent succeeded. May be NULL. */
    void (*settled)(void *arg);
    /* Called when the stop that hf_agent_stop() began is complete. By then, no write to disk waits, except writes that
     * failed. */
    void (*stopped)(void *arg);
    void *arg;
};

struct hf_agent;

/* Makes and starts an agent, which borrows the strings and tables of `params` until hf_agent_free(). */
HF_MUST_USE int hf_agent_new(const struct hf_agent_params *params, struct hf_agent **ret_agent, struct hf_err *err);

/* Ends and frees the agent at once, as a crash would. For an orderly end, call hf_agent_stop() first. */
void hf_agent_free(struct hf_agent *agent);
HF_DEFINE_CLEANUP(struct hf_agent, hf_agent_free)

enum hf_agent_stop {
    HF_AGENT_STOP_REQUESTED, /* somebody stops the agent, which writes a last status to report this */
    HF_AGENT_STOP_DONE,      /* the agent has done its work (--once), and writes no further status */
};

/* Begins the stop. Saves the data that a later start of the agent needs (resume points, time of the last contact,
 * sequence). For HF_AGENT_STOP_REQUESTED, also writes a last status and, if the server is reachable, waits up to 2 s
 * for its answer. The update engine starts nothing new and stops its downloads. Calls params.stopped when the stop is
 * complete. */
void hf_agent_stop(struct hf_agent *agent, enum hf_agent_stop why);

/* Replaces the node's configuration, and judges policies and releases by the new configuration. The update roots do not
 * change until the next start of the agent. The old configuration must stay valid until hf_agent_free(). */
void hf_agent_configure(struct hf_agent *agent, const struct hf_config *config);

/* Reads the file <state>/hold again. Call this function when the file may have changed. */
void hf_agent_hold_changed(struct hf_agent *agent);

/* Judges again all that changes with time alone. Call this function when the wall clock has leapt, and after the
 * machine slept: the deadlines of the agent count the sleep, but its timer does not. */
void hf_agent_clock_changed(struct hf_agent *agent);

/* Call this function when something important has changed in the telemetry part of the status, such as the state of a
 * circuit breaker, or a new dead letter. The agent then writes the status before the next heartbeat. */
void hf_agent_telemetry_changed(struct hf_agent *agent);

/* Call this function when telemetry has sent `bytes` to another machine. The metrics count these bytes. If `backlog` is
 * true, the bytes also count against spec.connectivity.maxBytesPerDay. */
void hf_agent_telemetry_sent(struct hf_agent *agent, uint64_t bytes, bool backlog);

/* Call this function when the answer of params.certificate_problem() has changed. */
void hf_agent_certificate_changed(struct hf_agent *agent);

/* Returns true if the agent has the desired state, either from the source or from the cache of an earlier process. */
bool hf_agent_ready(const struct hf_agent *agent);

/* Returns true if the policy in effect is the one that the source, or the cache of an earlier process, has for this
 * node. False: the agent may not have heard of it yet, or has not applied it. */
bool hf_agent_knows_policy(const struct hf_agent *agent);

/* Returns an explanation for a person if the source is reachable but refuses to serve the desired state; otherwise
 * NULL. */
const char *hf_agent_source_failure(const struct hf_agent *agent);

/* Returns the exit code for --once: 0 if the newest status has the condition Ready with status True (sync/readiness.h);
 * otherwise 1. Also returns 1 if the source is a folder that the agent cannot read. */
int hf_agent_result(const struct hf_agent *agent);
