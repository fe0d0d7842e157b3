/* SPDX-License-Identifier: Apache-2.0 */
/* Installs new versions of releases, one at a time, and restores the old version if the new one fails. A later process
 * resumes from the journal; only downloads need a network. `err` may be NULL. */
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
    const struct hf_http_ops *http; /* for health checks, without credentials */
    /* for artifacts, without credentials; NULL: `http` */
    const struct hf_http_ops *bulk_http;
    struct hf_access *access; /* NULL: downloads have neither mirrors nor credentials */
    struct hf_sharing *share; /* NULL: no sharing with neighbours */
    const struct hf_proc_ops *proc;
    const struct hf_probe_ops *probe;
    const struct hf_unit_ops *unit;
    const struct hf_watch_ops *watch; /* NULL: a change of the files starts no look for drift */
    const char *state_dir;            /* the engine owns `updates` in it */
    const char *trust_dir;
    const char *const *roots; /* absolute folders below which releases may install */
    const char *arch;
    /* The agent runs in a pod. Releases are NotInPod if they run programs, need devices while host_root is NULL, or
     * restart a unit that starts pods and that names_unit() does not allow. */
    bool pod_mode;
    const char *host_root; /* pod mode: mount point of the host's root; NULL: "/" */
    /* of this process; if root, folders that other users may change are refused (TargetUnsafe) */
    uid_t uid;
    /* Supervisor of this agent, in <state_dir>/host. NULL: none, and releases of kind Agent are refused (NotOnHost). */
    const struct hf_life_ops *life;
    /* the agent's own unit, whose restart ends this process; NULL: none */
    const char *self_unit;
    uint64_t retry_base_ns, retry_cap_ns;
    /* Does the node meet these requirements? 0: yes; -errno: no, *err says what is missing. NULL: yes. */
    int (*meets)(void *arg, const struct hf_requires *requires_, struct hf_err *err);
    /* Would the release replace or restart the agent itself? If so, *err says why. NULL: no. */
    bool (*is_own)(void *arg, const struct hf_install *install, struct hf_err *err);
    /* May a release run this program, or restart this unit? If not, *err says why. NULL: yes. */
    bool (*allows_exec)(void *arg, const char *program, struct hf_err *err);
    bool (*allows_unit)(void *arg, const char *unit, struct hf_err *err);
    /* Does agent.yaml list the unit by its full name? NULL: no. */
    bool (*names_unit)(void *arg, const char *unit);
    /* Bytes to leave free on a file system of disk_bytes. NULL: 16 MiB or a twentieth, whichever is less. */
    uint64_t (*disk_reserve)(void *arg, uint64_t disk_bytes);
    /* Is the file system too full to start a new release at `path`? If so, *err says why. NULL: no. */
    bool (*disk_critical)(void *arg, const char *path, struct hf_err *err);
    /* Is the file system above spec.disk.warnPercent? Then no more content is kept there. NULL: never. */
    bool (*disk_warned)(void *arg, const char *path);
    /* NULL: floors are not compared with the TPM */
    struct hf_floor_guard *floors;
    /* A release's status (not just bytes_fetched), the trust problem or _quiesced() has changed. Not called from within
     * the engine's functions. */
    void (*changed)(void *arg);
    /* Drift of a committed release is repaired; `what`: what was wrong, or how the repair ended. This and the next two
     * may be NULL, get borrowed texts, and must not call the engine. */
    void (*repaired)(void *arg, const char *release, const char *version, const char *what);
    /* The site's order has brought the node back to `version`; `text` is the status's message. */
    void (*went_back)(void *arg, const char *release, const char *version, const char *text);
    /* The neighbour `node` served other content than the artifact. */
    void (*lied)(void *arg, const char *release, const char *version, const char *node);
    void *arg;
};

struct hf_update_engine;

/* Copies strings and `roots`, and borrows the rest; tables of functions and `log` must outlive the loop that runs the
 * jobs. -EWOULDBLOCK: another process holds <state_dir>/updates/lock. A damaged journal is set aside; an unreadable one
 * is read every ten seconds (e.g. IoError), and counts as damaged after an hour. */
HF_MUST_USE int hf_update_engine_new(const struct hf_update_params *params, struct hf_update_engine **ret_engine,
                                     struct hf_err *err);
/* Before a shutdown: starts no more actions, and stops downloads, which sync their bytes (then _quiesced() is true, and
 * `changed` is called). Other steps may still end and write the journal. Freeing the engine earlier is like a kill. */
void hf_update_engine_quiesce(struct hf_update_engine *engine);
bool hf_update_engine_quiesced(const struct hf_update_engine *engine);
/* Cancels all jobs; after the last one, frees the engine and releases the lock. */
void hf_update_engine_free(struct hf_update_engine *engine);
HF_DEFINE_CLEANUP(struct hf_update_engine, hf_update_engine_free)

/* Sets all desired releases, at most one per name; an error of one release does not stop the others. -EINVAL: a name
 * cannot be a file name. -E2BIG: too many. The update to a release that is no longer desired is abandoned before
 * Swapping, and completed from then on; a committed release stays. Call it once per SyncPolicy `interval` anyway: it
 * reads the trust folder's keys again. */
HF_MUST_USE int hf_update_engine_set(struct hf_update_engine *engine, const struct hf_desired *desired, size_t n,
                                     struct hf_err *err);
/* Has the engine look for drift of committed releases that are desired and not held by the site. Call it once per
 * SyncPolicy `interval`. Changed or missing content is installed again (Drifted), with health checks; if these fail,
 * what was in place comes back, except a tree that differs from its manifest. Mode and owner are corrected in place
 * (RightsRestored). */
void hf_update_engine_check_drift(struct hf_update_engine *engine);
/* Returns what was wrong with the trust folder (hf_trust_folder_inspect()) at the last hf_update_engine_set(), or NULL.
 * Valid until the next such call. */
const char *hf_update_engine_trust_problem(const struct hf_update_engine *engine);
/* Sets what to keep (kept/kept.h), also of releases that are committed already. Until the first call, both the
 * committed version and the one before stay. */
void hf_update_engine_set_retain(struct hf_update_engine *engine, const struct hf_kept_policy *policy);
void hf_update_engine_set_retry(struct hf_update_engine *engine, uint64_t base_ns, uint64_t cap_ns);

/* Whether statuses may be outdated: changes, a step (other than a look for drift), or journal I/O are pending. */
bool hf_update_engine_is_behind(const struct hf_update_engine *engine);

/* Visits releases that are desired or have a history; parked ones last, with empty `from` and `method`, and zero
 * counters. */
void hf_update_engine_each(struct hf_update_engine *engine,
                           void (*visit)(void *arg, const struct hf_update_status *status), void *arg);
