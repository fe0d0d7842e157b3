/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent does while Fresh, Stale or Expired.
 *
 * It always keeps and repairs what runs; Expired with staleOk.onExpiry Hold begins nothing new. The table:
 * tests/golden/stale_table.txt, holdfast-agent(8). */
#pragma once

#include <stdbool.h>

#include "api/syncpolicy.h"
#include "sync/stale.h"

enum hf_stale_act {
    HF_STALE_ACT_NEW_RELEASE,
    HF_STALE_ACT_RUNNING_UPDATE,
    HF_STALE_ACT_RELEASE_DRIFT,
    HF_STALE_ACT_NEW_MANIFESTS,
    HF_STALE_ACT_MANIFEST_DRIFT,
    HF_STALE_ACT_PRUNE,
    HF_STALE_ACT_LABELS,
    HF_STALE_ACT_TELEMETRY,
    HF_STALE_ACT_SECRET_ROTATION,
    HF_STALE_ACT_CLOCK_RESYNC,
    HF_STALE_ACT_CERTIFICATE_RENEWAL,
    HF_STALE_ACTS,
};

enum hf_stale_answer {
    HF_STALE_DOES,
    HF_STALE_WAITS, /* waits for contact, and reports Stale */
    HF_STALE_NEEDS_THE_SERVER,
    HF_STALE_ANSWERS,
};

enum hf_stale_answer hf_stale_table_answer(enum hf_stale_act act, enum hf_staleness staleness,
                                           enum hf_on_expiry on_expiry);

/* Whether the agent may try; an act that needs the server fails, and is retried. */
bool hf_stale_table_may(enum hf_stale_act act, enum hf_staleness staleness, enum hf_on_expiry on_expiry);
