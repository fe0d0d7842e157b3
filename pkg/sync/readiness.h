/* SPDX-License-Identifier: Apache-2.0 */
/* Judges the three conditions of kstatus.
 *
 *   Ready        True: each selected update is Committed or Incompatible, or waits for the rollout (NotAdmitted,
 *                TurnPending), each entry of spec.manifests is Applied and kept in place, no object refused. False: the
 *                reason of an update, a refused object or an entry not kept in place, or ManifestsFailed,
 *                ManifestsPending. Unknown: the desired state never came.
 *   Reconciling  True while the agent works towards the desired state (not for drift checks); else absent.
 *   Stalled      True while a person must act: an update failed (hf_reason_is_failure(), but not RollingBack; or a
 *                hook with --once), an object was refused, or an entry was rolled back or refused; else absent.
 *
 * Ready's message explains one cause. Conditions with this cause refer to Ready, except Reconciling on entries. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/update/update.h"

#define HF_READINESS_POINTER "; see Ready"

enum { HF_READINESS_MESSAGE = 1025, HF_READINESS_REASON = 64, HF_READINESS_NAMES = 512 };

/* A text such as "a, b, c and 4 more". */
struct hf_readiness_names {
    char text[HF_READINESS_NAMES];
    size_t n, left_out; /* bytes in `text`; number of names not in it */
};
void hf_readiness_names_add(struct hf_readiness_names *names, const char *name);
/* Call this once, after the last name. */
const char *hf_readiness_names_text(struct hf_readiness_names *names);

/* Strings are borrowed. */
struct hf_refused {
    const char *kind;
    const char *name;
    const char *text;
};

struct hf_readiness_params {
    bool known; /* the desired state has come to some process of the agent */
    bool once;  /* --once: a failed hook is not tried again */
    const struct hf_update_status *updates;
    size_t n_updates;
    const struct hf_refused *refused;
    size_t n_refused;
    const char *superseded;       /* names of updates that have given way; "", NULL: none */
    const char *not_admitted;     /* names of updates that would win if admitted */
    const char *manifests_failed; /* "web: ValidateFailed, pods: NotAllowed" */
    const char *manifests_pending;
    const char *manifests_troubled; /* entries that are applied, but not kept in place */
    const char *manifests_trouble;
};

struct hf_readiness_part {
    const char *status; /* "True", "False" or "Unknown" */
    char reason[HF_READINESS_REASON];
    char message[HF_READINESS_MESSAGE];
};

struct hf_readiness {
    struct hf_readiness_part ready, reconciling, stalled;
    bool is_reconciling, is_stalled;
    bool is_waiting; /* an update waits for the rollout */
};

void hf_readiness_judge(const struct hf_readiness_params *params, struct hf_readiness *ret_readiness);
