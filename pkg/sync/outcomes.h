/* SPDX-License-Identifier: Apache-2.0 */
/* Finds releases committed, rolled back or rejected since the last look. Pure, but allocates. */
#pragma once

#include "api/update/update.h"
#include "base/strmap.h"
#include "sync/notices.h"

#define HF_OUTCOMES_STEADY_NS (5 * HF_NS_PER_S)

struct hf_outcomes {
    struct hf_strmap releases; /* name to digests last committed, rolled back, rejected */
    unsigned round;
    uint64_t look_again_ns; /* HF_NEVER: no need */
};

void hf_outcomes_init(struct hf_outcomes *outcomes);
void hf_outcomes_done(struct hf_outcomes *outcomes);

/* A look: _begin(), _see() for each release, _end(), which forgets other releases. */
void hf_outcomes_begin(struct hf_outcomes *outcomes);
/* HF_NOTICE_NONE: nothing is new, the first look, or no memory. */
enum hf_notice_reason hf_outcomes_see(struct hf_outcomes *outcomes, const struct hf_update_status *status,
                                      uint64_t now_ns);
void hf_outcomes_end(struct hf_outcomes *outcomes);
