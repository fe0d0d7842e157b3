/* SPDX-License-Identifier: Apache-2.0 */
/* `make agent FEATURES="..."` links agent/without/<feature>.c in place of each feature left out; all other code is the
 * same. Threads: any. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

enum hf_feature {
    HF_FEATURE_CLUSTER, /* API servers and MetaServers */
    HF_FEATURE_HOST,    /* host agents installed by a pod; supervisor */
    HF_FEATURE_HTTPS,   /* without it: file: only */
    HF_FEATURE_IMAGES,  /* spec.images: list, mirror */
    HF_FEATURE_MANIFESTS,
    HF_FEATURE_PAGE,    /* metrics, health, ingest, page */
    HF_FEATURE_REPACK,  /* compresses packed content again */
    HF_FEATURE_SHARE,   /* neighbours */
    HF_FEATURE_SYSTEMD, /* host's units */
    HF_FEATURE_TELEMETRY,
    HF_FEATURES,
};

const char *hf_feature_name(enum hf_feature feature);
/* False: *err names the feature, with ENOSYS. `err` may be NULL. */
bool hf_feature_has(enum hf_feature feature, struct hf_err *err);
