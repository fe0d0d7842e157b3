/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/stale_table.h"

#include <stdint.h>

enum column { FRESH, STALE, EXPIRED_HOLD, EXPIRED_CONTINUE, COLUMNS };

#define D HF_STALE_DOES
#define W HF_STALE_WAITS
#define S HF_STALE_NEEDS_THE_SERVER

static const uint8_t rows[HF_STALE_ACTS][COLUMNS] = {
    [HF_STALE_ACT_NEW_RELEASE] = {D, D, W, D},
    [HF_STALE_ACT_RUNNING_UPDATE] = {D, D, D, D},
    [HF_STALE_ACT_RELEASE_DRIFT] = {D, D, D, D},
    [HF_STALE_ACT_NEW_MANIFESTS] = {D, D, W, D},
    [HF_STALE_ACT_MANIFEST_DRIFT] = {D, D, D, D},
    [HF_STALE_ACT_PRUNE] = {D, D, W, D},
    [HF_STALE_ACT_LABELS] = {D, S, S, S},
    [HF_STALE_ACT_TELEMETRY] = {D, D, D, D},
    [HF_STALE_ACT_SECRET_ROTATION] = {D, S, S, S},
    [HF_STALE_ACT_CLOCK_RESYNC] = {D, D, D, D},
    [HF_STALE_ACT_CERTIFICATE_RENEWAL] = {D, S, S, S},
};

#undef D
#undef W
#undef S

enum hf_stale_answer hf_stale_table_answer(enum hf_stale_act act, enum hf_staleness staleness,
                                           enum hf_on_expiry on_expiry)
{
    enum column column = staleness == HF_STALE_FRESH          ? FRESH
                         : staleness == HF_STALE_STALE        ? STALE
                         : on_expiry == HF_ON_EXPIRY_CONTINUE ? EXPIRED_CONTINUE
                                                              : EXPIRED_HOLD;

    return (enum hf_stale_answer)rows[act][column];
}

bool hf_stale_table_may(enum hf_stale_act act, enum hf_staleness staleness, enum hf_on_expiry on_expiry)
{
    return hf_stale_table_answer(act, staleness, on_expiry) != HF_STALE_WAITS;
}
