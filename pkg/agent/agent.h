/* SPDX-License-Identifier: Apache-2.0 */
/* agent/agent.h - the node agent: follows the desired state, passes it to the update engine, and reports the status.
 *
 *        source --> follow --> objects --> (plan) --> update engine
 *           ^          |                                 | changed
 *           |          `--> diskq --> cache              v
 *           `------------- report <------- status <--- turn
 *
 * hf_agent_new() loads the cache and the engine's journals, so that the agent acts before the source has answered.
 * Threads: loop thread only. */
#pragma once

#include "agent/home.h"
#include "agent/report/status.h"
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

struct hf_access;
struct hf_image_mirror;
struct hf_sharing;
struct hf_life_ops;

/* Functions of the program that runs the agent: the agent reports to it and asks it. Each but `stopped` may be NULL. */
struct hf_agent_owner {
    /* At the start, and when the policy in effect or the labels (a JSON object of strings) may have changed. */
    void (*policy_changed)(void *arg, const struct hf_syncpolicy *policy, const json_t *labels);
    /* The budget of writes is used up, or there is budget again. */
    void (*writes_paused)(void *arg, bool paused);
    /* The gate for bulk transfers (api/link/link.h) has changed. `closed`: the reason, such as "LinkQuotaUsed"; NULL:
     * open. */
    void (*link_changed)(void *arg, const char *closed);
    /* Measured by requests to the API server. NULL with a folder source. */
    struct hf_http_traffic (*api_traffic)(void *arg);
    /* A new object or NULL. */
    json_t *(*telemetry)(void *arg);
    /* A new status, as JSON, also one that cannot be delivered. May be NULL. */
    void (*status_shown)(void *arg, struct hf_view text);
    /* Message, status and reason of ClientCertificateValid; NULL: no such condition. */
    const char *(*certificate_problem)(void *arg, bool *ret_valid, const char **ret_reason);
    /* The source reported this node's Node. */
    void (*node_seen)(void *arg, const char *uid);
    /* At most once, after the result was reported: nothing more can be done for the desired state, or the folder source
     * cannot be read. */
    void (*settled)(void *arg);
    /* The stop is complete; no write to disk waits but failed ones. */
    void (*stopped)(void *arg);
    void *arg;
};

/* Of artifacts; each may be NULL. */
struct hf_agent_downloads {
    struct hf_access *access; /* mirrors and credentials */
    struct hf_sharing *share; /* neighbours */
    struct hf_image_mirror *images;
};

struct hf_agent_params {
    struct hf_home *home; /* open; also provides file system and clock; borrowed */
    const struct hf_rand_ops *rng;
    const struct hf_sched_ops *sched;
    const struct hf_source_ops *source;
    /* Accepted statuses come back through the subscription to this node's EdgeNode; <state>/outbox.json keeps each
     * until then. */
    bool source_echoes;
    /* Statuses go to another server than the one read from (kube/split.h): contact with that one decides when to
     * write. */
    bool status_apart;
    /* For Events about this node; borrowed. NULL, or a MetaServer: none are sent. */
    struct hf_kube *events;
    /* For what entries of spec.manifests name: ConfigMaps, Flux sources, objects; borrowed. NULL with a folder
     * source. */
    struct hf_kube *source_kube;
    const struct hf_http_ops *kubelet_http; /* for this node's kubelet (kube/upstream.h); NULL: no credentials */
    const struct hf_http_ops *http;         /* for artifacts of any origin, without credentials */
    struct hf_agent_downloads downloads;
    const struct hf_proc_ops *proc;
    const char *tpm_program; /* absolute path of holdfast-tpm, which seals copies of secrets; NULL: none are sealed */
    const struct hf_probe_ops *probe;
    const struct hf_unit_ops *unit;
    const struct hf_watch_ops *watch; /* NULL: changes of manifests are noticed once per interval */
    struct hf_log *log;               /* may be NULL */
    struct hf_metrics *metrics;       /* may be NULL; not to be formatted after hf_agent_free() */
    const char *node_name;
    const char *version;
    const char *trust_dir;
    const struct hf_config *config; /* the node's bounds; NULL: the defaults */
    const char *const *roots;
    const char *arch;       /* NULL: that of this program */
    const char *facts_root; /* stands for "/" when facts are read (node/probe.h); "" on a real node */
    bool pod_mode;
    struct hf_status_host_life host_life; /* borrowed texts */
    bool labels_by_controller;            /* the controller writes the labels that the status reports */
    bool once;                            /* --once: ends when its work is done */
    const char *host_root;                /* in pod mode, where the host is mounted; NULL: "/" */
    uid_t uid;
    const char *storage_dir;             /* for telemetry; NULL: none */
    const struct hf_fs_ops *update_fs;   /* counts writes for updates separately; NULL: that of `home` */
    const struct hf_fs_counter *written; /* bytes written, by enum hf_fs_part; NULL: not counted */
    const char *own_exe;                 /* this program, which no release may replace; NULL if unknown, and in a pod */
    const char *own_unit;                /* this process's; NULL: none */
    const struct hf_life_ops *life;      /* on the host, under a supervisor; NULL: none */
    uint64_t retry_base_ns;              /* for the growing delays (base/backoff.h) */
    /* Gets each new status for local programs, and at each interval: should be in memory. May be NULL. */
    const char *run_path;
    struct hf_agent_owner owner;
};

struct hf_agent;

/* Borrows the strings and tables of `params` until freed. */
HF_MUST_USE int hf_agent_new(const struct hf_agent_params *params, struct hf_agent **ret_agent, struct hf_err *err);

/* At once, as in a crash; hf_agent_stop() is the orderly end. */
void hf_agent_free(struct hf_agent *agent);
HF_DEFINE_CLEANUP(struct hf_agent, hf_agent_free)

enum hf_agent_stop {
    HF_AGENT_STOP_REQUESTED, /* someone stops the agent: writes a last status */
    HF_AGENT_STOP_DONE,      /* --once: no further status */
};

/* Saves resume points, time of contact and sequence; REQUESTED also writes a last status and waits up to 2 s for a
 * reachable server. The engine starts nothing new and stops downloads. Then owner.stopped. */
void hf_agent_stop(struct hf_agent *agent, enum hf_agent_stop why);

/* Judges policies and releases again; update roots change with the next start. The old configuration must stay valid
 * until hf_agent_free(). */
void hf_agent_configure(struct hf_agent *agent, const struct hf_config *config);

/* Call when <state>/hold may have changed. */
void hf_agent_hold_changed(struct hf_agent *agent);

/* Call when the wall clock has leapt and after a sleep of the machine, which deadlines count and the timer does not. */
void hf_agent_clock_changed(struct hf_agent *agent);

/* Call for an important change of the telemetry status (a breaker, a new dead letter): written before the next
 * heartbeat. */
void hf_agent_telemetry_changed(struct hf_agent *agent);

/* Bytes to another machine. `backlog`: they use up spec.connectivity.maxBytesPerDay. */
void hf_agent_telemetry_sent(struct hf_agent *agent, uint64_t bytes, bool backlog);

void hf_agent_certificate_changed(struct hf_agent *agent);
/* A client certificate is on the disk: for the audit log. */
void hf_agent_certificate_issued(struct hf_agent *agent, const char *request, const char *reason, const char *message);

/* For the audit log: an act by the page of the node, or, without a message, that `subject` was refused one. */
void hf_agent_page_acted(struct hf_agent *agent, const char *subject, const char *reason, const char *message);

/* There is a desired state, from the source or an earlier cache. */
bool hf_agent_ready(const struct hf_agent *agent);

/* The policy in effect is the one that the source or cache has for this node. */
bool hf_agent_knows_policy(const struct hf_agent *agent);

/* The cause of a reachable source's refusal, for a person; or NULL. */
const char *hf_agent_source_failure(const struct hf_agent *agent);

/* Exit code of --once: 0 if Ready is True in the newest status (sync/readiness.h); 1 otherwise, and for a folder source
 * that cannot be read. */
int hf_agent_result(const struct hf_agent *agent);
