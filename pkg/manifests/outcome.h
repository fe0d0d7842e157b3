/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/outcome.h - the result of one attempt to apply an entry to its target, or of one check for drift. The code
 * of the target fills the struct and passes it to the engine. Memory: the receiver of an outcome must call
 * hf_manifest_outcome_done(). */
#pragma once

#include <stdbool.h>

#include "api/manifest_reason.h"
#include "base/err.h"
#include "codec/json.h"
#include "manifests/rules/diff.h"

enum { HF_MANIFEST_MESSAGE = 512 };

struct hf_manifest_outcome {
    /* 0 on success, otherwise -errno. -EAGAIN means that a later attempt may succeed without a change of the entry. For
     * the target Cluster, any other error means that the same content would probably fail again. */
    int r;
    /* Cause of a failure. After success, only the target Cluster sets a reason: Applied or DriftRepaired after an
     * attempt to apply, and HealthPassed, HealthFailed or NotReady after a check. */
    enum hf_manifest_reason reason;
    char message[HF_MANIFEST_MESSAGE]; /* for a person: what, where, why, and what to do; never content of a secret */
    json_t *inventory;                 /* for the target Cluster: the inventory now; owned; NULL means unchanged */
    unsigned applied;                  /* number of items that are in place as the bundle says */
    unsigned changed;                  /* number of items that this attempt wrote */
    unsigned pruned;                   /* number of items that this attempt removed */
    /* number of items that somebody other than the agent had changed or removed; for files, number of the entry's files
     * that were not as the set wants them */
    unsigned drifted;
    /* For the target Cluster: the names of up to five of these items. An attempt to apply names only those that it has
     * put back. "" if there are none, or if the run ended before its last object. */
    char drift[HF_DIFF_TEXT];
    bool healthy; /* true if all objects are current; valid only after a check of the target Cluster */
    /* for the target Cluster, after a failure: true if the API server answered, but refused an object, did not bring it
     * to its state, or kept failing with it; false if the run ended for another cause, such as a server that is away */
    bool answered;
};

/* Fills the outcome of a failure with the text of *err. Returns `r`, a negative errno. */
int hf_manifest_outcome_fail(struct hf_manifest_outcome *outcome, enum hf_manifest_reason reason, int r,
                             const struct hf_err *err);
/* Returns the reason for `r`, a negative errno of the file system: NoSpace, ReadOnlyFileSystem, NotAllowed, or
 * WriteFailed. NotAllowed is for -ELOOP, -EILSEQ and -ENOTDIR (a path has a symbolic link, leads to a name that is not
 * UTF-8, or has a file in place of a folder), for -EACCES (for example, others may change a folder of the path) and for
 * -EPERM. */
enum hf_manifest_reason hf_manifest_outcome_reason(int r);

/* Returns true if `r`, a negative errno, comes from a trouble of the node that may pass without a change of the entry,
 * its content or its target, although this may take weeks: a disk that is full, fails or is absent, a lack of
 * memory. */
bool hf_manifest_outcome_may_pass(int r);

static inline void hf_manifest_outcome_done(struct hf_manifest_outcome *outcome)
{
    json_decref(outcome->inventory);
    outcome->inventory = NULL;
}
