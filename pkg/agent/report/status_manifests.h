/* SPDX-License-Identifier: Apache-2.0 */
/* EdgeNode.status.manifests, also for conditions. Pure. Applied: a message only for more than success. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/manifest.h"
#include "api/manifest_reason.h"
#include "codec/json.h"
#include "sync/readiness.h"

/* Borrowed; NULL, "": none. */
struct hf_status_manifest {
    const char *name;
    enum hf_manifest_target to;
    enum hf_manifest_phase phase;
    const char *revision; /* resourceVersion or commit */
    const char *digest;   /* 12 digits in the status */
    uint64_t items;
    uint64_t drifts; /* undone */
    enum hf_manifest_reason reason;
    const char *message;
    uint64_t time_unix_ns;                   /* phase's */
    const char *alone_state, *alone_message; /* whenAlone: Start; or NULL */
};

/* `failed`: wait for a person (RolledBack, Refused). `pending`: not Applied. `troubled`: applied, but not to be kept so
 * (read-only file system). */
struct hf_status_manifests {
    struct hf_readiness_names failed, pending, troubled;
    size_t n_failed, n_pending, n_troubled;
};

/* First HF_MAX_MANIFESTS. */
json_t *hf_status_manifests_list(const struct hf_status_manifest *manifests, size_t n);

/* Fills *params, which borrows from *ret_judged. */
void hf_status_manifests_judge(const struct hf_status_manifest *manifests, size_t n,
                               struct hf_status_manifests *ret_judged, struct hf_readiness_params *params);
