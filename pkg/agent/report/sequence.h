/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of statuses grow over restarts and power cuts, unless <state>/sequence is unwritable for long. Numbers are
 * reserved in blocks, for few writes. Blocks briefly. */
#pragma once

#include "agent/env.h"
#include "codec/state/record.h"

struct hf_sequence {
    const struct hf_agent_env *env;
    uint64_t number;  /* of the last */
    uint64_t durable; /* below: reserved */
    bool uncertain;   /* the file has no number: take the source's */
};

extern const struct hf_record_type hf_sequence_type; /* private struct */

void hf_sequence_load(struct hf_sequence *sequence, const struct hf_agent_env *env);

uint64_t hf_sequence_next(struct hf_sequence *sequence);

/* At the process's end: gives unused numbers back. */
void hf_sequence_save(struct hf_sequence *sequence);
