/* SPDX-License-Identifier: Apache-2.0 */
/* Result of an attempt to apply an entry, or of a look for drift. The receiver calls hf_manifest_outcome_done(). */
#pragma once

#include <stdbool.h>

#include "api/manifest_reason.h"
#include "base/err.h"
#include "codec/json.h"
#include "manifests/rules/diff.h"

enum { HF_MANIFEST_MESSAGE = 512 };

struct hf_manifest_outcome {
    /* 0 or -errno. -EAGAIN: may succeed later without a change of the entry; of the target Cluster any other error
     * would probably come again. */
    int r;
    /* A failure's reason. A success has one with Cluster alone: Applied, DriftRepaired; a check HealthPassed,
     * HealthFailed, NotReady. */
    enum hf_manifest_reason reason;
    char message[HF_MANIFEST_MESSAGE]; /* for a person: what, where, why, what to do; no secret */
    json_t *inventory;                 /* Cluster: as it is now; owned; NULL: unchanged */
    unsigned applied;                  /* items in place as the bundle says */
    unsigned changed;                  /* items that this attempt wrote */
    unsigned pruned;                   /* items that it removed */
    /* items that somebody else had changed or removed; files that were not as the set wants them */
    unsigned drifted;
    /* Cluster: up to five of these by name; of an attempt to apply only those put back. "": none, or the run ended
     * early. */
    char drift[HF_DIFF_TEXT];
    bool healthy; /* Cluster, after a check: all are current */
    /* Cluster, after a failure: the API server answered, but refused an object, did not bring it to its state, or kept
     * failing with it */
    bool answered;
};

/* Returns `r`. */
int hf_manifest_outcome_fail(struct hf_manifest_outcome *outcome, enum hf_manifest_reason reason, int r,
                             const struct hf_err *err);
/* NoSpace, ReadOnlyFileSystem, NotAllowed or WriteFailed. NotAllowed: -ELOOP, -EILSEQ, -ENOTDIR, -EACCES (others may
 * change a folder of the path) and -EPERM. */
enum hf_manifest_reason hf_manifest_outcome_reason(int r);

/* A trouble of the node that may pass by itself, if after weeks: a disk that is full, fails or is absent; memory. */
bool hf_manifest_outcome_may_pass(int r);

static inline void hf_manifest_outcome_done(struct hf_manifest_outcome *outcome)
{
    json_decref(outcome->inventory);
    outcome->inventory = NULL;
}
