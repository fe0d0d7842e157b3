/* SPDX-License-Identifier: Apache-2.0 */
/* Applies the entries of spec.manifests to their targets, and repairs later drift. A failure of one entry shows only in
 * its status. */
#pragma once

#include "api/manifest_reason.h"
#include "api/syncpolicy.h"
#include "codec/sha256.h"
#include "manifests/env.h"
#include "manifests/rules/images.h"

/* Strings last until the next call of the engine or turn of the event loop. */
struct hf_manifest_status {
    const char *name;
    enum hf_manifest_target to;
    enum hf_manifest_phase phase;
    /* source's name for the content of the set shown: in Applied the good set, before a removal the set in place,
     * otherwise the newest; "": none */
    const char *revision;
    /* digest of that content, in hex (for a Secret hf_bundle.id) */
    const char *digest;
    unsigned items;  /* files or objects in place */
    unsigned drifts; /* repairs since the good set reached Applied */
    enum hf_manifest_reason reason;
    const char *message;
    bool when_alone;
    uint64_t time_unix_ns; /* when the phase changed or, if later, drift was repaired */
    /* the phase is Applied, RolledBack or Refused */
    bool settled;
};

enum hf_manifest_notice {
    HF_MANIFEST_NOTICE_APPLIED,
    HF_MANIFEST_NOTICE_ROLLED_BACK,
    HF_MANIFEST_NOTICE_REFUSED,
    HF_MANIFEST_NOTICE_DRIFT_REPAIRED,
    HF_MANIFEST_NOTICE_REMOVED,
    HF_MANIFEST_NOTICE_COUNT,
};

struct hf_manifest_engine_params {
    /* pointers are borrowed until the engine is freed and its last job has ended */
    struct hf_manifest_env env;
    /* Whether the policy or the entry has a valid signature, and contentDigest pins the content. If not, sets
     * *ret_reason (Unsigned, ContentNotPinned, SignatureInvalid or SequenceTooLow) and *err. NULL: no entry is
     * signed. */
    bool (*is_signed)(void *arg, const struct hf_manifest *entry, enum hf_manifest_reason *ret_reason,
                      struct hf_err *err);
    /* Returns how long an entry that the policy lacks has to stay. 0: it may go; HF_NEVER: a policy that is not in
     * effect has it. NULL: no such entry has to stay. */
    uint64_t (*removal_wait_ns)(void *arg, const char *entry);
    /* A status has changed; not called from within the engine's calls. */
    void (*changed)(void *arg);
    /* Called for what becomes a Kubernetes Event, also within hf_manifest_engine_repair_now(). May be NULL. */
    void (*happened)(void *arg, enum hf_manifest_notice notice, const char *entry, const char *text);
    void *arg;
};

struct hf_manifest_engine;

/* Loads entries from <state_dir>/manifests. Sets damaged records and inventories aside; remakes a lost inventory if
 * possible. */
HF_MUST_USE int hf_manifest_engine_new(const struct hf_manifest_engine_params *params,
                                       struct hf_manifest_engine **ret_engine, struct hf_err *err);
/* A job that runs is freed when it ends. A later process resumes from disk. */
void hf_manifest_engine_free(struct hf_manifest_engine *engine);
HF_DEFINE_CLEANUP(struct hf_manifest_engine, hf_manifest_engine_free)

/* Repairs files that drifted while no agent ran. Called once, before the network is used; blocks. Leaves out, among
 * others, objects of the cluster, and entries in Applying, Probation or RollingBack. */
void hf_manifest_engine_repair_now(struct hf_manifest_engine *engine);

struct hf_manifest_desired {
    const struct hf_syncpolicy *policy; /* borrowed for the call */
    /* borrowed until the next call and the end of a job that runs then */
    const struct hf_config *config;
    const json_t *labels; /* of this node; borrowed until the next call; may be NULL */
    /* The source has confirmed in this process that `policy` is the newest: only then may entries that it lacks be
     * removed. */
    bool proven;
    bool held;  /* by the site */
    bool stale; /* no contact for staleOk.window, and onExpiry is Hold */
    bool no_space;
    bool writes_used_up;
};

/* Called on any change, and once per interval of the policy. While entries that wait for removal fill a limit
 * (engine_impl.h), new names show Waiting with PruneLimit, which is no error. */
HF_MUST_USE int hf_manifest_engine_set(struct hf_manifest_engine *engine, const struct hf_manifest_desired *desired,
                                       struct hf_err *err);
/* Asks sources for new content, and looks for drift. */
void hf_manifest_engine_check(struct hf_manifest_engine *engine);
void hf_manifest_engine_link_opened(struct hf_manifest_engine *engine);
void hf_manifest_engine_set_retry(struct hf_manifest_engine *engine, uint64_t base_ns, uint64_t cap_ns);

/* Visits the policy's entries, then others that may have items in place. */
void hf_manifest_engine_each(struct hf_manifest_engine *engine,
                             void (*visit)(void *arg, const struct hf_manifest_status *status), void *arg);
/* Visits the files in place of entries with `to: StaticPods` and `whenAlone: Start`, except secret ones. Returns false,
 * without a visit, if such files may be changing or an entry is not loaded. */
bool hf_manifest_engine_each_alone(struct hf_manifest_engine *engine,
                                   void (*visit)(void *arg, const char *entry, const char *path,
                                                 const unsigned char sha256[static HF_SHA256_BYTES]),
                                   void *arg);
/* Returns the images that the newest sets of the policy's entries name (images.prefetchFrom.workloads), except sets
 * that are refused or rolled back, and Secrets. *ret_waits: an entry whose content is not here yet, or NULL. -EAGAIN:
 * before hf_manifest_engine_set(). */
HF_MUST_USE int hf_manifest_engine_images(const struct hf_manifest_engine *engine,
                                          struct hf_manifest_images *ret_images, const char **ret_waits);
