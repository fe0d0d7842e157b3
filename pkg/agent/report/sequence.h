/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of statuses grow over restarts and power cuts, unless <state>/sequence is unwritable for long. Reserved in
 * blocks, for few writes. Loading and some calls block. */
#pragma once

#include "agent/env.h"
#include "codec/state/record.h"

struct hf_sequence {
    const struct hf_agent_env *env;
    uint64_t number;  /* of the last */
    uint64_t durable; /* below: reserved */
    bool uncertain;   /* no number in the file: take the source's */
};

extern const struct hf_record_type hf_sequence_type; /* private struct */

void hf_sequence_load(struct hf_sequence *sequence, const struct hf_agent_env *env);

uint64_t hf_sequence_next(struct hf_sequence *sequence);

/* At the process's end: releases unused ones. */
void hf_sequence_save(struct hf_sequence *sequence);
