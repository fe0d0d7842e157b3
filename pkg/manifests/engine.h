/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/engine.h - applies the entries of spec.manifests to their targets, and repairs later drift.
 *
 * The caller passes the policy in effect. The engine follows the source of each entry, applies a new content as soon as
 * the gates allow it, runs the health checks, and restores the last good content if they fail. It looks for drift and
 * repairs it from its own copy of the content. Before each effect, the engine records on disk what it is about to do.
 * The engine needs no network to start, to resume, to repair files or to roll back files. It needs the API server for
 * objects of the cluster, and for secret content that is not sealed to a TPM.
 *
 * Threads: loop thread only; blocking work runs in jobs. Memory: the engine copies what it keeps, except what its
 * parameters call borrowed. Errors: functions return 0, or -errno with the cause in *err. If an entry fails, the
 * failure shows in the status of the entry; no function returns it. */
#pragma once

#include "api/manifest_reason.h"
#include "api/syncpolicy.h"
#include "codec/sha256.h"
#include "manifests/env.h"

/* The status of one entry. The strings are valid until the next call of a function of the engine, or until the event
 * loop runs again. */
struct hf_manifest_status {
    const char *name;
    enum hf_manifest_target to;
    enum hf_manifest_phase phase;
    /* Revision of the good set in the phase Applied, otherwise of the newest set. If the source's last delivery had the
     * content of this set under another revision, `revision` is that of the last delivery. "" if there is none. */
    const char *revision;
    /* content digest of the same set in hex or, for a Secret, hf_bundle.id; "" if there is none */
    const char *digest;
    unsigned items;  /* number of files or objects in place that belong to the entry */
    unsigned drifts; /* number of repairs of drift since the good set reached Applied */
    enum hf_manifest_reason reason;
    const char *message;   /* text for a person; may be "" */
    bool when_alone;       /* whenAlone: Start */
    uint64_t time_unix_ns; /* time of the last change of phase, or of the last repair if that is later */
    /* true in the phases Applied, RolledBack and Refused: the newest set has its result, although the engine may later
     * try a refused set again */
    bool settled;
};

/* What a notice for a Kubernetes Event is about. */
enum hf_manifest_notice {
    HF_MANIFEST_NOTICE_APPLIED,
    HF_MANIFEST_NOTICE_ROLLED_BACK,
    HF_MANIFEST_NOTICE_REFUSED,
    HF_MANIFEST_NOTICE_DRIFT_REPAIRED,
    HF_MANIFEST_NOTICE_REMOVED, /* the engine has removed an entry that no policy has, and has forgotten it */
    HF_MANIFEST_NOTICE_COUNT,
};

struct hf_manifest_engine_params {
    /* its tables, strings and JSON are borrowed until hf_manifest_engine_free(); if a job runs then, until that job has
     * ended */
    struct hf_manifest_env env;
    /* Decides if an entry counts as signed: its policy or the entry itself must have valid signatures, and its content
     * must be pinned (contentDigest). Returns true, or false with the reason (Unsigned, ContentNotPinned,
     * SignatureInvalid, SequenceTooLow) and a text in *err. NULL means that no entry is signed. */
    bool (*is_signed)(void *arg, const struct hf_manifest *entry, enum hf_manifest_reason *ret_reason,
                      struct hf_err *err);
    /* Returns how long an entry that is not in the policy in effect has to stay in place: 0 if it may go now, HF_NEVER
     * if a policy has it all the same. Called only while `proven` holds (struct hf_manifest_desired). NULL: none
     * stays. */
    uint64_t (*removal_wait_ns)(void *arg, const char *entry);
    /* Called after the status of an entry has changed, but never from within a call into the engine. */
    void (*changed)(void *arg);
    /* Called for each notice that should become an Event, also while hf_manifest_engine_repair_now() runs. `text` is
     * borrowed. May be NULL. */
    void (*happened)(void *arg, enum hf_manifest_notice notice, const char *entry, const char *text);
    void *arg;
};

struct hf_manifest_engine;

/* Makes the engine, and loads the state of all entries from <state_dir>/manifests. Renames a damaged record or
 * inventory, and continues without it; makes a lost inventory again if it can. */
HF_MUST_USE int hf_manifest_engine_new(const struct hf_manifest_engine_params *params,
                                       struct hf_manifest_engine **ret_engine, struct hf_err *err);
/* Ends everything in progress except a job that runs on a worker: this job runs to its end, and its memory is freed
 * then. A later process resumes from the state on disk. */
void hf_manifest_engine_free(struct hf_manifest_engine *engine);
HF_DEFINE_CLEANUP(struct hf_manifest_engine, hf_manifest_engine_free)

/* Looks for drift in the files that the entries had in place when the previous process ended, and repairs it. Blocks
 * until the repair is complete. Skips objects of the cluster, and entries in the phases Applying, Probation and
 * RollingBack. Call this function once, after hf_manifest_engine_new() and before the agent uses the network. */
void hf_manifest_engine_repair_now(struct hf_manifest_engine *engine);

/* The policy in effect, and the present state of the node. */
struct hf_manifest_desired {
    const struct hf_syncpolicy *policy; /* borrowed for the call */
    /* borrowed until the next call; if a job runs then, until that job has ended */
    const struct hf_config *config;
    const json_t *labels; /* labels of this node; borrowed until the next call; may be NULL */
    /* true if the source itself has confirmed, in this process, that `policy` is the newest one. Only then does the
     * engine remove entries that are not in `policy`, after removal_wait_ns(). */
    bool proven;
    bool held;           /* the site's own order not to change anything is in force */
    bool stale;          /* contact has been lost for longer than staleOk.window, and staleOk.onExpiry is Hold */
    bool no_space;       /* the disk of the state folder is critically full */
    bool writes_used_up; /* the policy's budget of writes (spec.disk.writeBudget) is used up */
};

/* Sets the desired state. Call this function whenever one of the fields may have changed, and once per interval of the
 * policy. Sets every entry that exists or finds room, also if another one fails. New names find no room while too many
 * entries that no policy has wait to be removed (MANIFEST_MAX_LEFT in entry.h): such a name shows as Waiting with
 * PruneLimit, which is no error. */
HF_MUST_USE int hf_manifest_engine_set(struct hf_manifest_engine *engine, const struct hf_manifest_desired *desired,
                                       struct hf_err *err);
/* Makes the engine check all sources for new content, and all entries for drift. Call this function once per interval
 * of the policy. */
void hf_manifest_engine_check(struct hf_manifest_engine *engine);
/* Resumes the downloads that wait for the link. Call this function when env.link allows downloads again. */
void hf_manifest_engine_link_opened(struct hf_manifest_engine *engine);
/* Sets the first and the longest pause after a failure. A source that runs already keeps its pauses. */
void hf_manifest_engine_set_retry(struct hf_manifest_engine *engine, uint64_t base_ns, uint64_t cap_ns);

/* Calls `visit` with the status of every entry of the policy, then of every other one that still has a good set. */
void hf_manifest_engine_each(struct hf_manifest_engine *engine,
                             void (*visit)(void *arg, const struct hf_manifest_status *status), void *arg);
/* Calls `visit` with each file that an entry with to: StaticPods and whenAlone: Start has in place. Returns false,
 * without a call, while files of such an entry change, or are not known: what was visited before counts further. */
bool hf_manifest_engine_each_alone(struct hf_manifest_engine *engine,
                                   void (*visit)(void *arg, const char *entry, const char *path,
                                                 const unsigned char sha256[static HF_SHA256_BYTES]),
                                   void *arg);
/* Returns true if no step is in progress, every entry is in a phase in which it rests (hf_manifest_machine_rests()) and
 * has its record on disk, and the engine has nothing to do now. */
bool hf_manifest_engine_is_idle(const struct hf_manifest_engine *engine);
