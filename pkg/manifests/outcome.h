/* SPDX-License-Identifier: Apache-2.0 */
/* Result of an attempt to apply an entry, or of a look for drift; free it with hf_manifest_outcome_done(). */
#pragma once

#include <stdbool.h>

#include "api/manifest_reason.h"
#include "base/err.h"
#include "codec/json.h"
#include "manifests/rules/diff.h"

enum { HF_MANIFEST_MESSAGE = 512 };

struct hf_manifest_outcome {
    /* 0 or -errno. -EAGAIN: may succeed later without a change of the entry; with Cluster, any other error would come
     * again. */
    int r;
    /* Why it failed. After a success only Cluster sets it: Applied or DriftRepaired; after a check HealthPassed,
     * HealthFailed or NotReady. */
    enum hf_manifest_reason reason;
    char message[HF_MANIFEST_MESSAGE]; /* for a person; no secret */
    json_t *inventory; /* Cluster: new inventory, NULL: unchanged; StaticPods: pods to look for; owned */
    unsigned applied;  /* items in place as the bundle says */
    unsigned changed;
    unsigned pruned;
    /* Cluster: items that somebody else changed or removed; otherwise files that were not as wanted */
    unsigned drifted;
    /* Cluster: names of up to five drifted objects (after an apply, of those put back) */
    char drift[HF_DIFF_TEXT];
    bool healthy; /* Cluster, after a check: all objects are current */
    /* Cluster, after a failure: the API server answered, but refused an object, did not finish it, or kept failing with
     * it */
    bool answered;
};

int hf_manifest_outcome_fail(struct hf_manifest_outcome *outcome, enum hf_manifest_reason reason, int r,
                             const struct hf_err *err);
/* Returns the reason for -errno: NoSpace, ReadOnlyFileSystem, NotAllowed or WriteFailed. */
enum hf_manifest_reason hf_manifest_outcome_reason(int r);

/* Whether the error may pass by itself, perhaps after weeks, such as a full, failing or absent disk, or no memory. */
bool hf_manifest_outcome_may_pass(int r);

static inline void hf_manifest_outcome_done(struct hf_manifest_outcome *outcome)
{
    json_decref(outcome->inventory);
    outcome->inventory = NULL;
}
