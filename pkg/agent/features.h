/* SPDX-License-Identifier: Apache-2.0 */
/* `make agent FEATURES="..."` links agent/without/<feature>.c for each feature left out. Threads: any. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

enum hf_feature {
    HF_FEATURE_CLUSTER,
    HF_FEATURE_HOST,  /* installing the agent on the host from a pod; supervisor */
    HF_FEATURE_HTTPS, /* without it, only file: URLs */
    HF_FEATURE_IMAGES,
    HF_FEATURE_MANIFESTS,
    HF_FEATURE_PAGE,
    HF_FEATURE_REPACK,
    HF_FEATURE_SHARE,
    HF_FEATURE_SYSTEMD,
    HF_FEATURE_TELEMETRY,
    HF_FEATURES,
};

const char *hf_feature_name(enum hf_feature feature);
/* Whether this program has the feature. If not, *err names it, with ENOSYS. `err` may be NULL. */
bool hf_feature_has(enum hf_feature feature, struct hf_err *err);
