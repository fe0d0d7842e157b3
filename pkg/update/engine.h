/* SPDX-License-Identifier: Apache-2.0 */
/* update/engine.h - the updater: installs new versions of releases on this node, one at a time, and restores the old
 * version if the new one fails. Before each step, the journal has everything that a later process needs to resume; only
 * downloads need a network.
 *
 * Blocking work runs in jobs. `err` may be NULL. No function returns the error of an update: the status shows it. */
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
#include "loop/watch.h"
#include "supervisor/life.h"
#include "trust/trust.h"
#include "update/floors/guard.h"
#include "update/kept/choice.h"
#include "web/metrics.h"

struct hf_access;  /* steps/access.h */
struct hf_sharing; /* share/share.h */

struct hf_update_params {
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_rand_ops *rng;
    const struct hf_sched_ops *sched;
    const struct hf_http_ops *http; /* for health checks, without credentials */
    /* for downloads of artifacts, without credentials; NULL: `http` */
    const struct hf_http_ops *bulk_http;
    struct hf_access *access; /* mirrors and credentials of downloads; NULL: none */
    struct hf_sharing *share; /* neighbours; the engine serves them until it is freed; NULL: none */
    const struct hf_proc_ops *proc;
    const struct hf_probe_ops *probe;
    const struct hf_unit_ops *unit;
    const struct hf_watch_ops *watch; /* NULL: drift shows at hf_update_engine_check_drift() only */
    struct hf_log *log;               /* may be NULL */
    /* the engine uses it until hf_update_engine_free(); may be NULL */
    struct hf_metrics *metrics;
    const char *state_dir; /* its subfolder `updates` belongs to the engine */
    const char *trust_dir;
    const char *const *roots; /* absolute paths of the folders below which releases may install; NULL ends the array */
    const char *arch;         /* such as "amd64" */
    /* The agent runs in a pod. Then these do not fit this node (NotInPod): restart.exec and exec checks; required
     * devices, if host_root is NULL; and the restart of a unit that starts pods, unless names_unit() returns true for
     * it. */
    bool pod_mode;
    const char *host_root; /* in pod mode, the mount point of the host's file system; NULL: "/" */
    /* of this process; if it is root, the engine refuses folders that other users may change (TargetUnsafe) */
    uid_t uid;
    /* The supervisor that starts this agent. NULL: there is none, and a release of kind Agent does not fit this node
     * (NotOnHost). Its folder is <state_dir>/host. */
    const struct hf_life_ops *life;
    /* unit of the agent itself, which an update must not restart twice; NULL: none */
    const char *self_unit;
    uint64_t retry_base_ns, retry_cap_ns;
    /* Returns 0, or -EOPNOTSUPP with the missing part in *err. */
    int (*meets)(void *arg, const struct hf_requires *requires_, struct hf_err *err);
    /* True, with the explanation in *err: the release would replace or restart the agent itself. NULL: none does. */
    bool (*is_own)(void *arg, const struct hf_install *install, struct hf_err *err);
    /* May a release run the program, or restart the unit? If not, *err has the reason. NULL allows all. */
    bool (*allows_exec)(void *arg, const char *program, struct hf_err *err);
    bool (*allows_unit)(void *arg, const char *unit, struct hf_err *err);
    /* True if this node's configuration lists the unit by its full name. NULL: it lists none. */
    bool (*names_unit)(void *arg, const char *unit);
    /* Bytes that an update must leave free on a file system of disk_bytes. NULL: 16 MiB or a twentieth of it, whichever
     * is less. */
    uint64_t (*disk_reserve)(void *arg, uint64_t disk_bytes);
    /* True, with the reason in *err: the file system of this install path is too full to start a new release. Does not
     * stop repairs, and is not called for rollbacks. NULL: none is too full. */
    bool (*disk_critical)(void *arg, const char *path, struct hf_err *err);
    /* True: the file system of this install path is fuller than spec.disk.warnPercent, so that nothing more is kept
     * there (hf_update_engine_set_retain()). NULL: none is. */
    bool (*disk_warned)(void *arg, const char *path);
    /* compares the floors with a counter in the TPM; NULL: none */
    struct hf_floor_guard *floors;
    /* The status of a release (except `bytes_fetched`), hf_update_engine_trust_problem() or hf_update_engine_quiesced()
     * has changed. Never called from within a call into the engine. */
    void (*changed)(void *arg);
    /* The engine has put back what somebody changed or removed of a committed release. `what` (borrowed) says what was
     * wrong, or how the repair ended. Must not call into the engine. May be NULL. */
    void (*repaired)(void *arg, const char *release, const char *version, const char *what);
    /* `version`, the one before, is committed by the site's order. `text` (borrowed) is what the status says. Must not
     * call into the engine. May be NULL. */
    void (*went_back)(void *arg, const char *release, const char *version, const char *text);
    /* A neighbour of this name served other content than that of the release. Must not call into the engine. May be
     * NULL. */
    void (*lied)(void *arg, const char *release, const char *version, const char *node);
    void *arg;
};

struct hf_update_engine;

/* Copies the strings and `roots` of `params`, and borrows the rest; the tables and `log` must outlive the loop that
 * runs the jobs. -EWOULDBLOCK: another process holds <state_dir>/updates/lock. Updates resume in the loop's next
 * iteration. A damaged journal is renamed, and the status says so. With an unreadable one, the release waits (IoError)
 * while the engine reads it again every ten seconds, and after an hour treats it as damaged. */
HF_MUST_USE int hf_update_engine_new(const struct hf_update_params *params, struct hf_update_engine **ret_engine,
                                     struct hf_err *err);
/* Before a shutdown of the node: no further step starts, and the download in progress stops and syncs its bytes.
 * Another step continues; if it ends before hf_update_engine_free(), the journal gets its result.
 * hf_update_engine_quiesced(): no download is in progress; `changed` announces it if one had to stop. A free before
 * that is like a kill. */
void hf_update_engine_quiesce(struct hf_update_engine *engine);
bool hf_update_engine_quiesced(const struct hf_update_engine *engine);
/* Cancels everything in progress. If jobs still run, the engine frees itself, and releases its lock, after the last
 * one. Accepts NULL. */
void hf_update_engine_free(struct hf_update_engine *engine);
HF_DEFINE_CLEANUP(struct hf_update_engine, hf_update_engine_free)

/* Sets all desired releases, at most one for each name. After an error of one release it still sets the others.
 * -EINVAL: a name cannot be a file name. -E2BIG: too many releases. A release that is no longer desired: before
 * Swapping the engine abandons the update and cleans up; from Swapping on it completes the update; a committed release
 * stays installed. Call it once per SyncPolicy `interval` even without a change: each call reads the trust folder's
 * keys again. */
HF_MUST_USE int hf_update_engine_set(struct hf_update_engine *engine, const struct hf_desired *desired, size_t n,
                                     struct hf_err *err);
/* Once per SyncPolicy `interval`, and by itself when a watched folder changes: looks for drift in committed releases
 * that are desired and not held back by the site. Changed or missing content is installed again at once (Drifted), with
 * health checks; if these fail, the file that was
 * in place comes back, but never a tree that differs from its manifest. Wrong mode or owner is set in place
 * (RightsRestored). After three repairs the next look is one minute or more after the repair; each further repair
 * doubles this delay, up to 512 minutes, and each look at an interval without drift halves it. While a newer release of
 * the name waits, or was refused or rolled back, the committed one is repaired from its signed object on disk
 * (update/state/committed.h). Content comes from what is kept (update/kept/kept.h), else from the server. */
void hf_update_engine_check_drift(struct hf_update_engine *engine);
/* Problems that the last hf_update_engine_set() found in the trust folder (hf_trust_folder_inspect()), or NULL.
 * Valid until the next hf_update_engine_set(). */
const char *hf_update_engine_trust_problem(const struct hf_update_engine *engine);
/* What to keep of committed versions (update/kept/kept.h); from the next commit or look on. Until then nothing that
 * is kept goes. */
void hf_update_engine_set_retain(struct hf_update_engine *engine, const struct hf_kept_policy *policy);
void hf_update_engine_set_retry(struct hf_update_engine *engine, uint64_t base_ns, uint64_t cap_ns);

/* Visits the status of every release that is desired or has a history here. Parked releases (no longer desired, in
 * Idle, Committed or RolledBack) come last, with empty `from` and `method`, and counters of 0. */
void hf_update_engine_each(struct hf_update_engine *engine,
                           void (*visit)(void *arg, const struct hf_update_status *status), void *arg);
