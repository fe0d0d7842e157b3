/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers the statuses. Numbers grow over restarts and power cuts, unless <state>/sequence is lost, or unwritable for
 * long. They are reserved in blocks, to write seldom. Blocks briefly. */
#pragma once

#include "agent/env.h"
#include "codec/state/record.h"

struct hf_sequence {
    const struct hf_agent_env *env;
    uint64_t number;  /* of the last status, or higher, unless `uncertain` */
    uint64_t durable; /* numbers below are reserved on disk */
    bool uncertain;   /* no number was read: adopt the source's */
};

extern const struct hf_record_type hf_sequence_type;

void hf_sequence_load(struct hf_sequence *sequence, const struct hf_agent_env *env);

uint64_t hf_sequence_next(struct hf_sequence *sequence);

/* Gives unused numbers back when the process ends. */
void hf_sequence_save(struct hf_sequence *sequence);
