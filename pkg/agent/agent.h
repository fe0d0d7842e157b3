/* SPDX-License-Identifier: Apache-2.0 */
/* The node agent: follows the desired state, passes it to the update engine, and reports the status.
 *
 *        source --> follow --> objects --> (plan) --> update engine
 *           ^          |                                 | changed
 *           |          `--> diskq --> cache              v
 *           `------------- report <------- status <--- turn
 *
 * hf_agent_new() loads cache and journals, so that the agent acts before the source has answered. */
#pragma once

#include "agent/home.h"
#include "agent/report/status.h"
#include "api/syncpolicy.h"
#include "config/config.h"
#include "kube/kube.h"
#include "kube/source.h"
#include "loop/http/client.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/unit.h"
#include "loop/watch.h"
#include "loop/world.h"
#include "node/clock.h"
#include "os/fs_counter.h"
#include "web/metrics.h"

struct hf_access;
struct hf_image_mirror;
struct hf_sharing;
struct hf_life_ops;

/* Callbacks of the program that runs the agent. All except `stopped` may be NULL. */
struct hf_agent_owner {
    /* The policy in effect or the labels (name to string) may have changed; also called at the start. */
    void (*policy_changed)(void *arg, const struct hf_syncpolicy *policy, const json_t *labels);
    void (*writes_paused)(void *arg, bool paused);
    /* `closed`: why bulk transfers wait, such as "LinkQuotaUsed"; NULL: they may run. */
    void (*link_changed)(void *arg, const char *closed);
    /* NULL with a folder source. */
    struct hf_http_traffic (*api_traffic)(void *arg);
    /* Returns telemetry's part of the status: a new object, or NULL. */
    json_t *(*telemetry)(void *arg);
    void (*status_shown)(void *arg, struct hf_view text);
    /* Returns the message of condition ClientCertificateValid; NULL: no such condition. */
    const char *(*certificate_problem)(void *arg, bool *ret_valid, const char **ret_reason);
    void (*node_seen)(void *arg, const char *uid);
    /* Called at most once: all is done and reported, the folder source is unreadable, or --once gave up. */
    void (*settled)(void *arg);
    /* hf_agent_stop() has finished: no disk write waits, except failed ones. */
    void (*stopped)(void *arg);
    void *arg;
};

struct hf_agent_downloads {
    struct hf_access *access;
    struct hf_sharing *share;
    struct hf_image_mirror *images;
};

struct hf_agent_params {
    struct hf_home *home;
    struct hf_world world; /* its file system and clock are those of `home` */
    const struct hf_source_ops *source;
    /* The source reports accepted statuses back, and <state>/outbox.json stays until then. */
    bool source_echoes;
    /* Statuses go to another server (kube/split.h), whose contact decides when to write. */
    bool status_apart;
    /* Where Events go; borrowed. NULL or a MetaServer: nowhere. */
    struct hf_kube *events;
    /* Server of the objects that spec.manifests names; borrowed. NULL with a folder source. */
    struct hf_kube *source_kube;
    const struct hf_http_ops *kubelet_http; /* client of the kubelet (kube/upstream.h); NULL: no credentials */
    const struct hf_http_ops *http;         /* client for any origin, without credentials */
    struct hf_agent_downloads downloads;
    const struct hf_proc_ops *proc;
    const char *tpm_program; /* path of holdfast-tpm; NULL: no sealed copies of secrets */
    const struct hf_probe_ops *probe;
    const struct hf_unit_ops *unit;
    const struct hf_watch_ops *watch; /* NULL: manifests are looked at once per interval */
    const char *node_name;
    const char *version;
    const char *trust_dir;
    const struct hf_config *config; /* NULL: defaults */
    const char *const *roots;
    const char *arch;       /* NULL: that of this program */
    const char *facts_root; /* folder below which /proc and /sys are read (node/probe.h) */
    bool pod_mode;
    struct hf_status_finding host_life;
    bool labels_by_controller; /* the controller, not the agent, labels the Node */
    bool once;
    const char *host_root; /* where a pod sees the host's root; NULL: "/" */
    uid_t uid;
    const char *storage_dir;
    /* file system for updates, which counts their writes apart; NULL: that of `home` */
    const struct hf_fs_ops *update_fs;
    const struct hf_fs_counter *written; /* bytes written, by enum hf_fs_part; NULL: not counted */
    const char *own_exe;                 /* program that no release may replace; NULL: unknown, or in a pod */
    const char *own_unit;
    const struct hf_life_ops *life; /* NULL: no supervisor */
    uint64_t retry_base_ns;
    /* The run file, or NULL. */
    const char *run_path;
    struct hf_agent_owner owner;
};

struct hf_agent;

/* Borrows strings and tables of `params`. */
HF_MUST_USE int hf_agent_new(const struct hf_agent_params *params, struct hf_agent **ret_agent, struct hf_err *err);

/* Ends at once and saves nothing, like a crash. */
void hf_agent_free(struct hf_agent *agent);
HF_DEFINE_CLEANUP(struct hf_agent, hf_agent_free)

enum hf_agent_stop {
    HF_AGENT_STOP_REQUESTED, /* sends a last status */
    HF_AGENT_STOP_DONE,      /* --once is settled: sends no status */
};

/* Stops downloads, saves what must survive, and then, perhaps after the return, calls owner.stopped(). REQUESTED may
 * give a reachable server a last status, within 2 s. */
void hf_agent_stop(struct hf_agent *agent, enum hf_agent_stop why);

/* Judges policies and releases again. New update roots need a restart. Each `config` must stay valid until
 * hf_agent_free(). */
void hf_agent_configure(struct hf_agent *agent, const struct hf_config *config);

void hf_agent_hold_changed(struct hf_agent *agent);

/* Call it when the wall clock leapt, or the machine slept: timers do not count sleep. */
void hf_agent_clock_changed(struct hf_agent *agent);

/* Call it after an important change (a breaker, a new dead letter): a status reports it before the next heartbeat. */
void hf_agent_telemetry_changed(struct hf_agent *agent);

void hf_agent_telemetry_sent(struct hf_agent *agent, uint64_t bytes, bool backlog);

void hf_agent_certificate_changed(struct hf_agent *agent);
void hf_agent_certificate_issued(struct hf_agent *agent, const char *request, const char *reason, const char *message);

/* Adds an audit entry. `message` NULL: `subject` was not allowed to act. */
void hf_agent_page_acted(struct hf_agent *agent, const char *subject, const char *reason, const char *message);

/* Whether a desired state has come, from source or cache. */
bool hf_agent_ready(const struct hf_agent *agent);

bool hf_agent_knows_policy(const struct hf_agent *agent);

/* Why the reachable source refuses EdgeUpdates or SyncPolicies, or NULL. */
const char *hf_agent_source_failure(const struct hf_agent *agent);

/* Exit code of --once. 0: Ready (sync/readiness.h), source folder readable, nothing waits for the rollout, and --once
 * did not give up. */
int hf_agent_result(const struct hf_agent *agent);
