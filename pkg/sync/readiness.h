/* SPDX-License-Identifier: Apache-2.0 */
/* sync/readiness.h - computes the three conditions of the status that kstatus reads. Pure.
 *
 *   Ready        True: each selected update has the phase Committed or Incompatible or waits for the rollout (for its
 *                wave, NotAdmitted, or its turn, TurnPending; Ready then has that reason), each entry of
 *                spec.manifests has the phase Applied and the node keeps it in place, and the node refused no object.
 *                False: some update is in another phase (Ready then has the reason of that update), the node refused an
 *                object, an entry is in another phase (Ready then has the reason ManifestsFailed or ManifestsPending),
 *                or the node fails to keep an applied entry in place (Ready then has the reason of that entry, such as
 *                ReadOnlyFileSystem). Unknown: the node never received the desired state.
 *   Reconciling  True while the agent still works towards the desired state (a check for drift does not count). At
 *                other times, the status lacks this condition.
 *   Stalled      True while somebody must act, because the node rolled back or rejected an update, refused an object,
 *                or rolled back or refused an entry of spec.manifests. At other times, the status lacks this condition.
 *
 * If Ready is False, its message explains one update, the refused objects or the entries of spec.manifests. If
 * Reconciling or Stalled has the same cause as Ready, its own message only names the cause and refers to Ready;
 * otherwise its own message explains the cause. Exception: a message of Reconciling about entries of spec.manifests
 * always explains the cause. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/update/update.h"

/* End of a message whose explanation the condition Ready has. */
#define HF_READINESS_POINTER "; see Ready"

enum { HF_READINESS_MESSAGE = 1025, HF_READINESS_REASON = 64, HF_READINESS_NAMES = 512 };

/* A list of names for a sentence, such as "a, b, c and 4 more". The text has as many of the first names as fit into
 * HF_READINESS_NAMES bytes together with the number of the other names. */
struct hf_readiness_names {
    char text[HF_READINESS_NAMES];
    size_t n, left_out; /* length in bytes of the names in `text`, and number of names that did not fit */
};
void hf_readiness_names_add(struct hf_readiness_names *names, const char *name);
/* Returns the names as text ("" if there are none). Call this function once, after the last name. */
const char *hf_readiness_names_text(struct hf_readiness_names *names);

/* An object that this node refused. The strings are borrowed. */
struct hf_refused {
    const char *kind;
    const char *name;
    const char *text;
};

struct hf_readiness_params {
    bool known; /* true if this process or an earlier process of the agent has received the desired state */
    const struct hf_update_status *updates;
    size_t n_updates;
    const struct hf_refused *refused;
    size_t n_refused;
    const char *superseded; /* names of the objects that give way to another object ("" or NULL means none) */
    /* names of the objects that will win once this node is admitted ("" or NULL means none) */
    const char *not_admitted;
    /* entries of spec.manifests that the node rolled back or refused, and those that it still works on, each with its
     * reason, such as "web: ValidateFailed, pods: NotAllowed" ("" or NULL means none) */
    const char *manifests_failed;
    const char *manifests_pending;
    /* applied entries that the node fails to keep in place, each with its reason, and the reason of the first one (""
     * or NULL means none) */
    const char *manifests_troubled;
    const char *manifests_trouble;
};

/* Status, reason and message of one condition. */
struct hf_readiness_part {
    const char *status; /* status of the condition: "True", "False" or "Unknown" */
    char reason[HF_READINESS_REASON];
    char message[HF_READINESS_MESSAGE];
};

struct hf_readiness {
    struct hf_readiness_part ready, reconciling, stalled;
    bool is_reconciling, is_stalled;
    bool is_waiting; /* true if an update waits for the rollout, whatever Ready is */
};

void hf_readiness_judge(const struct hf_readiness_params *params, struct hf_readiness *ret_readiness);
