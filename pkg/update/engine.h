/* SPDX-License-Identifier: Apache-2.0 */
/* update/engine.h - the updater: installs new versions of releases on this node, and restores the old version of a
 * release if the new version fails.
 *
 * The caller passes the desired releases that select this node. The engine works on one release at a time: it fetches,
 * patches, verifies and swaps the file, checks the service, then commits or rolls back. The engine keeps a status and a
 * journal of each release. Before each step, the journal on disk has everything that a later process needs to resume.
 * Only downloads need a network: without one, the engine starts, resumes all other steps, checks health and rolls back.
 *
 * Threads: loop thread only; blocking work runs in jobs. Memory: the engine owns copies of, or references to,
 * everything that it keeps, except what hf_update_engine_new() borrows. Errors: functions return 0, or -errno with the
 * cause in *err (`err` may be NULL). Only the status of a release shows that its update failed, and why; no function
 * returns the error of an update. */
#pragma once

#include "api/edgeupdate.h"
#include "api/update/update.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/rand.h"
#include "loop/http/http.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/sched.h"
#include "loop/unit.h"
#include "trust/trust.h"
#include "update/floors/guard.h"
#include "web/metrics.h"

struct hf_access; /* steps/access.h */

struct hf_update_params {
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_rand_ops *rng;
    const struct hf_sched_ops *sched;
    const struct hf_http_ops *http; /* client for health checks over HTTP, without credentials */
    /* client for downloads of artifacts from any server, without credentials; NULL means `http` */
    const struct hf_http_ops *bulk_http;
    struct hf_access *access; /* mirrors and credentials of downloads (steps/access.h); NULL: none */
    const struct hf_proc_ops *proc;
    const struct hf_probe_ops *probe;
    const struct hf_unit_ops *unit;
    struct hf_log *log; /* log of the engine; may be NULL */
    /* registry of metrics, which the engine uses until hf_update_engine_free(); may be NULL */
    struct hf_metrics *metrics;
    const char *state_dir; /* state folder; its subfolder `updates` belongs to the engine */
    const char *trust_dir;
    const char *const *roots; /* folders below which releases may install; absolute paths, NULL ends the array */
    const char *arch;         /* processor architecture of this node, such as "amd64" or "arm64" */
    /* true if the agent runs in a pod. Three kinds of releases then do not fit this node (NotInPod): releases with
     * restart.exec or exec checks, which a pod cannot run; releases that require devices, if host_root is NULL; and
     * releases that restart a unit that starts pods, if names_unit() does not return true for the unit. */
    bool pod_mode;
    const char *host_root; /* in pod mode, the mount point of the host's file system (NULL means "/") */
    /* the user of this process; if it is root (0), the engine refuses folders that other users may change
     * (TargetUnsafe) */
    uid_t uid;
    /* systemd unit of the agent itself, which an update must not restart twice; NULL if there is none */
    const char *self_unit;
    uint64_t retry_base_ns, retry_cap_ns;
    /* Returns 0 if this node meets the requirements, or -EOPNOTSUPP with the missing part in *err. */
    int (*meets)(void *arg, const struct hf_requires *requires_, struct hf_err *err);
    /* Returns true, with the explanation in *err, if the release would replace or restart the agent itself. NULL: no
     * release does. */
    bool (*is_own)(void *arg, const struct hf_install *install, struct hf_err *err);
    /* Returns true if this node lets a release run the program, or false with the reason in *err. NULL allows every
     * program. */
    bool (*allows_exec)(void *arg, const char *program, struct hf_err *err);
    /* Returns true if this node lets a release restart the systemd unit, or false with the reason in *err. NULL allows
     * every unit. */
    bool (*allows_unit)(void *arg, const char *unit, struct hf_err *err);
    /* Returns true if this node's configuration lists the unit by its full name. In pod mode, the engine restarts a
     * unit that starts pods only if this function returns true. NULL means that the configuration lists no unit. */
    bool (*names_unit)(void *arg, const char *unit);
    /* Returns how many bytes an update must leave free on a file system with a size of disk_bytes. Called on the loop
     * thread. If this pointer is NULL, the engine leaves free 16 MiB or a twentieth of the file system, whichever is
     * less. */
    uint64_t (*disk_reserve)(void *arg, uint64_t disk_bytes);
    /* Returns true if the file system of this install path is too full to start a new release there; *err then receives
     * the reason. The engine ignores the result for a repair, and does not call this function for a rollback. Called on
     * the loop thread. NULL means that no file system is ever too full. */
    bool (*disk_critical)(void *arg, const char *path, struct hf_err *err);
    /* guard that compares the floors with a counter in the TPM of this node; NULL if there is no guard */
    struct hf_floor_guard *floors;
    /* Called after one of these has changed: the status of a release (except `bytes_fetched`), or the result of
     * hf_update_engine_trust_problem() or hf_update_engine_quiesced(). Never called from within a call into the
     * engine. */
    void (*changed)(void *arg);
    /* Called after the engine has put back what somebody changed or removed of a committed release. `what` says what
     * was wrong, or how the repair ended; the strings are borrowed. It must not call into the engine. May be NULL. */
    void (*repaired)(void *arg, const char *release, const char *version, const char *what);
    void *arg;
};

struct hf_update_engine;

/* Makes the engine. Copies the strings and `roots` of `params`. Borrows the tables of functions, `log`, `metrics` and
 * `floors`; the tables and `log` must outlive the loop that runs the jobs. Locks <state_dir>/updates/lock; returns
 * -EWOULDBLOCK if another process holds the lock. Reads the journals, and resumes the updates where the last process
 * stopped; effects start in the event loop's next iteration. Renames a damaged journal, and reports the damage in the
 * status of that release. A journal that cannot be read stops only the release that it belongs to: the status shows
 * Waiting with the reason IoError, and the engine reads the journal again every ten seconds. After an hour it counts as
 * damaged. */
HF_MUST_USE int hf_update_engine_new(const struct hf_update_params *params, struct hf_update_engine **ret_engine,
                                     struct hf_err *err);
/* Call this function before a shutdown of the node. The engine then starts no further step of any update, stops the
 * download in progress, and syncs the received bytes to disk. If a step of another kind is in progress, it continues;
 * if it ends before hf_update_engine_free(), the engine saves its result in the journal. When no download is in
 * progress any more, hf_update_engine_quiesced() returns true; if a download had to stop first, the engine also calls
 * `changed`. If the caller frees the engine before that moment, the next process resumes as after a kill. */
void hf_update_engine_quiesce(struct hf_update_engine *engine);
bool hf_update_engine_quiesced(const struct hf_update_engine *engine);
/* Cancels everything that is in progress. If jobs still run, the engine frees itself, and releases its lock, after the
 * last job has ended. A later process can resume from the state on disk. Ignores NULL. */
void hf_update_engine_free(struct hf_update_engine *engine);
HF_DEFINE_CLEANUP(struct hf_update_engine, hf_update_engine_free)

/* Sets all desired releases, at most one for each release name (the caller has left out superseded objects). -EINVAL: a
 * release name cannot be a file name. -E2BIG: there are too many releases. If one release causes an error, the function
 * sets the other releases nevertheless. If a release is no longer desired, the effect depends on its phase: before
 * Swapping, the engine abandons the update and cleans up; from Swapping on, the engine completes the update; a
 * committed release stays installed. Call this function once per SyncPolicy `interval` even if nothing changed, because
 * each call makes the engine read the keys of the trust folder again. */
HF_MUST_USE int hf_update_engine_set(struct hf_update_engine *engine, const struct hf_desired *desired, size_t n,
                                     struct hf_err *err);
/* Looks for drift in committed releases. Call this function once per SyncPolicy `interval`. Only releases that are
 * desired, and not held back by the site, are checked. If somebody changed or removed the installed content, the engine
 * installs the release again at once (reason Drifted), with health checks as in any update. If the checks fail, the
 * engine restores the file that was in place before the repair. But it never restores a tree that differs from its
 * manifest. If only mode or owner have changed, the engine sets them in place (reason RightsRestored). The next check
 * for drift starts at the earliest one minute after the first repair. Each further repair doubles this delay, up to 512
 * minutes, and each check that finds no drift halves the delay. While a newer release of the same name waits, or after
 * the node refused it or rolled it back, the engine also repairs the committed release, from the signed object that the
 * engine keeps on disk (update/state/committed.h). Such a repair fails while the artifact server no longer has the file
 * of the committed release. */
void hf_update_engine_check_drift(struct hf_update_engine *engine);
/* Returns the problems that the last hf_update_engine_set() found in the trust folder (hf_trust_folder_inspect()), or
 * NULL if there is no problem. The string is valid until the next hf_update_engine_set(). */
const char *hf_update_engine_trust_problem(const struct hf_update_engine *engine);
void hf_update_engine_set_retry(struct hf_update_engine *engine, uint64_t base_ns, uint64_t cap_ns);

/* Calls `visit` with the status of every release that is desired or has a history on this node. Parked releases (no
 * longer desired, in the phase Idle, Committed or RolledBack) come last, with empty `from` and `method`, and counters
 * of 0. */
void hf_update_engine_each(struct hf_update_engine *engine,
                           void (*visit)(void *arg, const struct hf_update_status *status), void *arg);
