/* SPDX-License-Identifier: Apache-2.0 */
/* Applies the entries of spec.manifests to their targets, and repairs later drift.
 *
 * It follows the source of each entry of the policy in effect, applies a new content as soon as the gates allow it,
 * runs the health checks, and restores the last good content if they fail. Drift is repaired from its own copy. Before
 * each effect it records on disk what it is about to do. No network is needed to start, to resume, to repair or to roll
 * back files; the API server is needed for objects of the cluster, and for secret content that is not sealed to a TPM.
 *
 * Threads: loop thread only; blocking work runs in jobs. Copies what it keeps, except what its parameters call
 * borrowed. Functions return 0, or -errno with the cause in *err; an entry's failure shows in its status alone. */
#pragma once

#include "api/manifest_reason.h"
#include "api/syncpolicy.h"
#include "codec/sha256.h"
#include "manifests/env.h"

/* Strings are valid until the next call of the engine or turn of the event loop. */
struct hf_manifest_status {
    const char *name;
    enum hf_manifest_target to;
    enum hf_manifest_phase phase;
    /* The revision of the good set in Applied, else of the newest one; the source's last one if it had the same
     * content; "": none. */
    const char *revision;
    /* of the same set: content digest in hex, or hf_bundle.id of a Secret; "": none */
    const char *digest;
    unsigned items;  /* files or objects in place */
    unsigned drifts; /* repairs since the good set reached Applied */
    enum hf_manifest_reason reason;
    const char *message;   /* may be "" */
    bool when_alone;       /* whenAlone: Start */
    uint64_t time_unix_ns; /* last change of phase, or last repair if later */
    /* Applied, RolledBack or Refused: the newest set has its result; a refused one may be tried again */
    bool settled;
};

enum hf_manifest_notice {
    HF_MANIFEST_NOTICE_APPLIED,
    HF_MANIFEST_NOTICE_ROLLED_BACK,
    HF_MANIFEST_NOTICE_REFUSED,
    HF_MANIFEST_NOTICE_DRIFT_REPAIRED,
    HF_MANIFEST_NOTICE_REMOVED, /* and forgotten: no policy has it */
    HF_MANIFEST_NOTICE_COUNT,
};

struct hf_manifest_engine_params {
    /* borrowed until hf_manifest_engine_free() and the end of a job that runs then */
    struct hf_manifest_env env;
    /* Valid signatures of the policy or the entry, and a pinned content (contentDigest). False: Unsigned,
     * ContentNotPinned, SignatureInvalid or SequenceTooLow, with a text in *err. NULL: none is signed. */
    bool (*is_signed)(void *arg, const struct hf_manifest *entry, enum hf_manifest_reason *ret_reason,
                      struct hf_err *err);
    /* How long an entry that the policy lacks stays in place: 0: it may go, HF_NEVER: a policy has it all the same.
     * Only while `proven`. NULL: none stays. */
    uint64_t (*removal_wait_ns)(void *arg, const char *entry);
    /* A status has changed; not from within a call into the engine. */
    void (*changed)(void *arg);
    /* For an Event; also from hf_manifest_engine_repair_now(). `text` is borrowed. May be NULL. */
    void (*happened)(void *arg, enum hf_manifest_notice notice, const char *entry, const char *text);
    void *arg;
};

struct hf_manifest_engine;

/* Loads all entries from <state_dir>/manifests. Sets a damaged record or inventory aside; makes a lost inventory again
 * if it can. */
HF_MUST_USE int hf_manifest_engine_new(const struct hf_manifest_engine_params *params,
                                       struct hf_manifest_engine **ret_engine, struct hf_err *err);
/* A job on a worker runs to its end and is freed then. A later process resumes from disk. */
void hf_manifest_engine_free(struct hf_manifest_engine *engine);
HF_DEFINE_CLEANUP(struct hf_manifest_engine, hf_manifest_engine_free)

/* Once, after hf_manifest_engine_new() and before the network is used: repairs drift of files since the last process;
 * blocks. Not objects of the cluster, nor entries in Applying, Probation or RollingBack. */
void hf_manifest_engine_repair_now(struct hf_manifest_engine *engine);

struct hf_manifest_desired {
    const struct hf_syncpolicy *policy; /* borrowed for the call */
    /* borrowed until the next call and the end of a job that runs then */
    const struct hf_config *config;
    const json_t *labels; /* of this node; borrowed until the next call; may be NULL */
    /* The source has confirmed in this process that `policy` is the newest: only then are entries removed that it
     * lacks, after removal_wait_ns(). */
    bool proven;
    bool held;           /* by the site */
    bool stale;          /* no contact for staleOk.window, and onExpiry is Hold */
    bool no_space;       /* the state folder's disk is critically full */
    bool writes_used_up; /* spec.disk.writeBudget */
};

/* On any change, and once per interval of the policy. Sets every entry that finds room, also if another one fails. New
 * names find none while MANIFEST_MAX_LEFT (entry.h) entries that no policy has wait to be removed: they show Waiting
 * with PruneLimit, which is no error. */
HF_MUST_USE int hf_manifest_engine_set(struct hf_manifest_engine *engine, const struct hf_manifest_desired *desired,
                                       struct hf_err *err);
/* Once per interval of the policy: all sources for news, all entries for drift. */
void hf_manifest_engine_check(struct hf_manifest_engine *engine);
/* When env.link permits downloads again: those that wait for the link resume. */
void hf_manifest_engine_link_opened(struct hf_manifest_engine *engine);
/* First and longest pause after a failure; a source that runs keeps its own. */
void hf_manifest_engine_set_retry(struct hf_manifest_engine *engine, uint64_t base_ns, uint64_t cap_ns);

/* Visits each entry of the policy, then each other one that still has a good set. */
void hf_manifest_engine_each(struct hf_manifest_engine *engine,
                             void (*visit)(void *arg, const struct hf_manifest_status *status), void *arg);
/* The files in place of entries with to: StaticPods and whenAlone: Start. False: files of such an entry change, or are
 * not known; what was visited before counts further. */
bool hf_manifest_engine_each_alone(struct hf_manifest_engine *engine,
                                   void (*visit)(void *arg, const char *entry, const char *path,
                                                 const unsigned char sha256[static HF_SHA256_BYTES]),
                                   void *arg);
/* No step in progress, each entry at rest (hf_manifest_machine_rests()) with its record on disk, nothing to do now. */
bool hf_manifest_engine_is_idle(const struct hf_manifest_engine *engine);
