/* SPDX-License-Identifier: Apache-2.0 */
/* Makes EdgeNode.status.manifests, and a summary for conditions. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/manifest.h"
#include "api/manifest_reason.h"
#include "codec/json.h"
#include "sync/readiness.h"

/* Borrowed; NULL or "": none. */
struct hf_status_manifest {
    const char *name;
    enum hf_manifest_target to;
    enum hf_manifest_phase phase;
    const char *revision; /* resourceVersion or commit */
    const char *digest;
    uint64_t items;
    uint64_t drifts; /* drifts undone */
    enum hf_manifest_reason reason;
    const char *message;
    uint64_t time_unix_ns;
    const char *alone_state, *alone_message; /* for whenAlone: Start; else NULL */
};

/* Names of entries. `failed`: they wait for a person (RolledBack, Refused). `pending`: not Applied yet. `troubled`:
 * Applied, but cannot be kept so (such as on a read-only file system). */
struct hf_status_manifests {
    struct hf_readiness_names failed, pending, troubled;
    size_t n_failed, n_pending, n_troubled;
};

/* Lists the first HF_MAX_MANIFESTS. An Applied entry has a message only if that says more than success. */
json_t *hf_status_manifests_list(const struct hf_status_manifest *manifests, size_t n);

/* Sums the entries up in *params, which borrows from *ret_judged. */
void hf_status_manifests_judge(const struct hf_status_manifest *manifests, size_t n,
                               struct hf_status_manifests *ret_judged, struct hf_readiness_params *params);
