/* agent/report/sequence.h - numbers of statuses: they only grow, over restarts and power cuts. Loop thread only; a few
 * writes block.
 *
 * A block of numbers is reserved on the disk (<state>/sequence) before its first one is used, so that heartbeats cost
 * no disk write. */
#pragma once

#include "agent/env.h"

struct hf_sequence {
    const struct hf_agent_env *env;
    uint64_t number;  /* of the last status made */
    uint64_t durable; /* numbers below this are reserved */
    bool uncertain;   /* the disk does not say which numbers were used: the source's number comes first */
};

/* Reads the file. */
void hf_sequence_load(struct hf_sequence *sequence, const struct hf_agent_env *env);

/* Returns a number that was never used. */
uint64_t hf_sequence_next(struct hf_sequence *sequence);

/* Gives reserved numbers back, at the end of a process. */
void hf_sequence_save(struct hf_sequence *sequence);
