/* SPDX-License-Identifier: Apache-2.0 */
/* agent/report/status_manifests.h - makes EdgeNode.status.manifests from the states of the entries of spec.manifests,
 * and derives the input of the conditions from the same states. Pure.
 *
 * In the list, an applied entry is short. It has no reason if the reason would only repeat the phase. It has a message
 * only if there is more to report than a plain success: for example, a repair of drift. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/manifest.h"
#include "api/manifest_reason.h"
#include "codec/json.h"
#include "sync/readiness.h"

/* The state of one entry. The strings are borrowed; NULL and "" mean that there is none. */
struct hf_status_manifest {
    const char *name;
    enum hf_manifest_target to;
    enum hf_manifest_phase phase;
    const char *revision; /* revision of the source, such as a resourceVersion or a commit */
    const char *digest;   /* hex digest of the content in place; the status has its first 12 digits */
    uint64_t items;       /* number of files or objects in place */
    uint64_t drifts;      /* number of changes by others that the node has undone */
    enum hf_manifest_reason reason;
    const char *message;
    uint64_t time_unix_ns; /* time of the last change of the phase, as the agent reports times (0 means unknown) */
};

/* The names of entries that are not well, each with its reason. `failed` are entries that wait for a person (phases
 * RolledBack and Refused); `pending` are entries in the other phases but Applied; `troubled` are applied entries that
 * the node fails to keep in place, such as on a file system that has become read-only. */
struct hf_status_manifests {
    struct hf_readiness_names failed, pending, troubled;
    size_t n_failed, n_pending, n_troubled;
};

/* Makes the array status.manifests from the n entries, but from no more than the first HF_MAX_MANIFESTS. Returns a new
 * array, or NULL if memory runs out. */
json_t *hf_status_manifests_list(const struct hf_status_manifest *manifests, size_t n);

/* Fills *ret_judged from the entries that are not well, and sets the fields of *params about manifests. These fields
 * borrow from *ret_judged. */
void hf_status_manifests_judge(const struct hf_status_manifest *manifests, size_t n,
                               struct hf_status_manifests *ret_judged, struct hf_readiness_params *params);
