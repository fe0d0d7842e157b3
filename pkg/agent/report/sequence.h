/* SPDX-License-Identifier: Apache-2.0 */
/* agent/report/sequence.h - gives each status a number. The numbers only grow, even after restarts and power cuts,
 * unless writes to <state>/sequence fail for a long time. Threads: loop thread only. hf_sequence_load() reads the file,
 * and a few calls of the other functions write it; only these calls block.
 *
 * The agent reserves a block of numbers in the file <state>/sequence before it uses the first number of the block. So
 * most heartbeats need no disk write. */
#pragma once

#include "agent/env.h"

struct hf_sequence {
    const struct hf_agent_env *env;
    uint64_t number;  /* number of the last status */
    uint64_t durable; /* the file reserves all numbers below this number */
    /* true if the file gave no number, so that the node must continue from the number that the source reports */
    bool uncertain;
};

/* Initialises `sequence` from the file <state>/sequence. */
void hf_sequence_load(struct hf_sequence *sequence, const struct hf_agent_env *env);

/* Returns the number for a new status. */
uint64_t hf_sequence_next(struct hf_sequence *sequence);

/* Releases the reserved numbers that no status has used. Call this function at the end of the process. */
void hf_sequence_save(struct hf_sequence *sequence);
