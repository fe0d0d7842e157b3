/* SPDX-License-Identifier: Apache-2.0 */
/* agent/features.h - which features this program has. `make agent FEATURES="..."` leaves the others out of the link: in
 * the place of their front stands agent/without/<feature>.c, with a mark that tells. No other code is compiled
 * differently. Threads: any. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

enum hf_feature {
    HF_FEATURE_CLUSTER,   /* API servers and MetaServers as source and for the status */
    HF_FEATURE_HOST,      /* life on a host beside a pod, supervisor */
    HF_FEATURE_HTTPS,     /* downloads by HTTP(S); without it, file: alone */
    HF_FEATURE_IMAGES,    /* spec.images: the list of images, the mirror of registries */
    HF_FEATURE_MANIFESTS, /* spec.manifests */
    HF_FEATURE_PAGE,      /* local listeners: metrics, health, ingest, the page */
    HF_FEATURE_REPACK,    /* deltas of packed content */
    HF_FEATURE_SHARE,     /* content from neighbours */
    HF_FEATURE_SYSTEMD,   /* units of the host */
    HF_FEATURE_TELEMETRY, /* spec.telemetry */
    HF_FEATURES,
};

const char *hf_feature_name(enum hf_feature feature);
/* False: left out, and *err (may be NULL), with ENOSYS, names it. */
bool hf_feature_has(enum hf_feature feature, struct hf_err *err);

/* What agent/without/<feature>.c has in place of a front. */
#define HF_FEATURE_LEFT_OUT(name) const char hf_without_##name = 1
