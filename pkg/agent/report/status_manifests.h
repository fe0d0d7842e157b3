/* SPDX-License-Identifier: Apache-2.0 */
/* agent/report/status_manifests.h - EdgeNode.status.manifests from the entries of spec.manifests, and input of the
 * conditions. Pure. An applied entry has no reason that repeats the phase, and a message only for more than success. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/manifest.h"
#include "api/manifest_reason.h"
#include "codec/json.h"
#include "sync/readiness.h"

/* Borrowed; NULL and "": none. */
struct hf_status_manifest {
    const char *name;
    enum hf_manifest_target to;
    enum hf_manifest_phase phase;
    const char *revision; /* the source's: a resourceVersion, a commit */
    const char *digest;   /* the content in place; the status has 12 digits */
    uint64_t items;       /* files or objects in place */
    uint64_t drifts;      /* others' changes that were undone */
    enum hf_manifest_reason reason;
    const char *message;
    uint64_t time_unix_ns;                   /* the phase's last change; 0: unknown */
    const char *alone_state, *alone_message; /* with whenAlone: Start (alone/alone.h); else NULL */
};

/* Entries that are not well, with reasons: `failed` wait for a person (RolledBack, Refused); `pending` are in phases
 * but Applied; `troubled` are applied, but cannot be kept in place (such as a read-only file system). */
struct hf_status_manifests {
    struct hf_readiness_names failed, pending, troubled;
    size_t n_failed, n_pending, n_troubled;
};

/* The first HF_MAX_MANIFESTS. */
json_t *hf_status_manifests_list(const struct hf_status_manifest *manifests, size_t n);

/* Also the fields of *params about manifests, which borrow from *ret_judged. */
void hf_status_manifests_judge(const struct hf_status_manifest *manifests, size_t n,
                               struct hf_status_manifests *ret_judged, struct hf_readiness_params *params);
