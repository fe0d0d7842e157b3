/* SPDX-License-Identifier: Apache-2.0 */
/* agent/report/sequence.h - numbers the statuses, which only grow, over restarts and power cuts, unless writes to
 * <state>/sequence fail for long. Numbers are reserved there in blocks, so most heartbeats write nothing; loading and
 * some calls block. */
#pragma once

#include "agent/env.h"
#include "codec/state/record.h"

struct hf_sequence {
    const struct hf_agent_env *env;
    uint64_t number;  /* the last status's */
    uint64_t durable; /* numbers below are reserved */
    bool uncertain;   /* the file gave none: continue from the source's */
};

extern const struct hf_record_type hf_sequence_type; /* its struct is private */

void hf_sequence_load(struct hf_sequence *sequence, const struct hf_agent_env *env);

uint64_t hf_sequence_next(struct hf_sequence *sequence);

/* At the end of the process: releases unused numbers. */
void hf_sequence_save(struct hf_sequence *sequence);
