/* SPDX-License-Identifier: Apache-2.0 */
/* Installs new versions of releases, one at a time, and restores the old one if the new one fails. The journal has all
 * that a later process needs to resume; only downloads need a network. `err` may be NULL. An update's error is in its
 * status alone. */
#pragma once

#include "api/edgeupdate.h"
#include "api/update/update.h"
#include "loop/http/http.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/unit.h"
#include "loop/watch.h"
#include "loop/world.h"
#include "supervisor/life.h"
#include "trust/trust.h"
#include "update/floors/guard.h"
#include "update/kept/choice.h"

struct hf_access;
struct hf_sharing;

struct hf_update_params {
    struct hf_world world;
    const struct hf_http_ops *http; /* health checks, without credentials */
    /* artifacts, without credentials; NULL: `http` */
    const struct hf_http_ops *bulk_http;
    struct hf_access *access; /* of downloads; NULL: none */
    struct hf_sharing *share; /* from and to neighbours; NULL: none */
    const struct hf_proc_ops *proc;
    const struct hf_probe_ops *probe;
    const struct hf_unit_ops *unit;
    const struct hf_watch_ops *watch; /* NULL: drift shows only at hf_update_engine_check_drift() */
    const char *state_dir;            /* `updates` in it is the engine's */
    const char *trust_dir;
    const char *const *roots; /* absolute folders below which releases may install */
    const char *arch;
    /* The agent runs in a pod. NotInPod: a release with restart.exec or an exec check, with required devices if
     * host_root is NULL, or with a restart of a unit that starts pods, unless names_unit() knows it. */
    bool pod_mode;
    const char *host_root; /* pod mode: mount point of the host's root; NULL: "/" */
    /* this process's; root refuses folders that others may change (TargetUnsafe) */
    uid_t uid;
    /* Supervisor of this agent, in <state_dir>/host. NULL: none; releases of kind Agent are NotOnHost. */
    const struct hf_life_ops *life;
    /* the agent's own, which no update restarts twice; NULL: none */
    const char *self_unit;
    uint64_t retry_base_ns, retry_cap_ns;
    /* May the release run here? -EOPNOTSUPP: *err says what is missing. */
    int (*meets)(void *arg, const struct hf_requires *requires_, struct hf_err *err);
    /* Would it replace or restart the agent itself? *err says why. NULL: no. */
    bool (*is_own)(void *arg, const struct hf_install *install, struct hf_err *err);
    /* May a release run the program, or restart the unit? If not, *err says why. NULL: yes. */
    bool (*allows_exec)(void *arg, const char *program, struct hf_err *err);
    bool (*allows_unit)(void *arg, const char *unit, struct hf_err *err);
    /* Does agent.yaml list the unit by its full name? NULL: no. */
    bool (*names_unit)(void *arg, const char *unit);
    /* Bytes to leave free of disk_bytes. NULL: 16 MiB or a twentieth, whichever is less. */
    uint64_t (*disk_reserve)(void *arg, uint64_t disk_bytes);
    /* Is the file system too full to start a new release at this path? *err says why. Does not stop repairs; not asked
     * for rollbacks. NULL: no. */
    bool (*disk_critical)(void *arg, const char *path, struct hf_err *err);
    /* Is the file system above spec.disk.warnPercent? Then nothing more is kept there (hf_update_engine_set_retain()).
     * NULL: never. */
    bool (*disk_warned)(void *arg, const char *path);
    /* NULL: not compared with the TPM */
    struct hf_floor_guard *floors;
    /* A release's status (not just bytes_fetched), trust problem or _quiesced() has changed; not called from within the
     * engine's calls. */
    void (*changed)(void *arg);
    /* Drift of a committed release is repaired; `what` was wrong, or how it ended. This and the next two may be NULL,
     * get borrowed texts, and must not call the engine. */
    void (*repaired)(void *arg, const char *release, const char *version, const char *what);
    /* `version`, the one before, is committed by the site's order; `text`: the status's. */
    void (*went_back)(void *arg, const char *release, const char *version, const char *text);
    /* The neighbour `node` served another content. */
    void (*lied)(void *arg, const char *release, const char *version, const char *node);
    void *arg;
};

struct hf_update_engine;

/* Copies strings and `roots`, borrows the rest; tables and `log` outlive the loop of the jobs. -EWOULDBLOCK: another
 * process holds <state_dir>/updates/lock. Updates resume in the loop's next turn. Sets a damaged journal aside (see the
 * status); reads an unreadable one every ten seconds (IoError), for an hour, then takes it for damaged. */
HF_MUST_USE int hf_update_engine_new(const struct hf_update_params *params, struct hf_update_engine **ret_engine,
                                     struct hf_err *err);
/* Before a shutdown: no step starts; a download stops and syncs its bytes (then _quiesced(), and `changed`). Another
 * step may still end and reach the journal. A free before that is like a kill. */
void hf_update_engine_quiesce(struct hf_update_engine *engine);
bool hf_update_engine_quiesced(const struct hf_update_engine *engine);
/* Cancels all; frees itself and releases its lock after the last job. */
void hf_update_engine_free(struct hf_update_engine *engine);
HF_DEFINE_CLEANUP(struct hf_update_engine, hf_update_engine_free)

/* All desired releases, at most one per name; sets the others after an error of one. -EINVAL: a name cannot be a file
 * name. -E2BIG: too many. A release no longer desired is abandoned and cleaned up before Swapping, completed from then
 * on; a committed one stays. Call it once per SyncPolicy `interval` anyway: it reads the trust folder's keys again. */
HF_MUST_USE int hf_update_engine_set(struct hf_update_engine *engine, const struct hf_desired *desired, size_t n,
                                     struct hf_err *err);
/* Once per SyncPolicy `interval`; also by itself when a watched folder changes. Looks at committed releases that are
 * desired and not held by the site. Installs changed or missing content again (Drifted), with health checks; if these
 * fail, what was in place comes back, but never a tree that differs from its manifest. Corrects mode and owner in place
 * (RightsRestored). Many repairs delay the next looks (repairs.c). If a newer release of the name waits, was refused or
 * rolled back, the signed object is that of state/committed.h. */
void hf_update_engine_check_drift(struct hf_update_engine *engine);
/* What was wrong with the trust folder (hf_trust_folder_inspect()) at the last hf_update_engine_set(); valid until the
 * next. NULL: nothing. */
const char *hf_update_engine_trust_problem(const struct hf_update_engine *engine);
/* What to keep of versions (kept/kept.h); another policy than before looks at committed releases. Before the first
 * call only what is older than the version before goes. */
void hf_update_engine_set_retain(struct hf_update_engine *engine, const struct hf_kept_policy *policy);
void hf_update_engine_set_retry(struct hf_update_engine *engine, uint64_t base_ns, uint64_t cap_ns);

/* True while changes, a step (not a look) or a journal write are pending: statuses may be outdated. */
bool hf_update_engine_is_behind(const struct hf_update_engine *engine);

/* Releases that are desired or have a history. Parked ones (not desired; Idle, Committed, RolledBack) come last, with
 * empty `from` and `method`, and zero counters. */
void hf_update_engine_each(struct hf_update_engine *engine,
                           void (*visit)(void *arg, const struct hf_update_status *status), void *arg);
