/* agent/report/sequence.h - numbers of statuses: they only grow, over restarts and power cuts. Loop thread only; a few
 * writes block.
 *
 * It reserves a block of numbers on the disk (<state>/sequence) before it uses the first one, so that heartbeats cost
 * no disk write. */
#pragma once

#include "agent/env.h"

struct hf_sequence {
    const struct hf_agent_env *env;
    uint64_t number;  /* number of the last status made */
    uint64_t durable; /* the numbers below this are reserved on the disk */
    bool uncertain;   /* the disk has no number: continue from the number that the source shows */
};

/* Reads the file. */
void hf_sequence_load(struct hf_sequence *sequence, const struct hf_agent_env *env);

/* Returns a new number. */
uint64_t hf_sequence_next(struct hf_sequence *sequence);

/* Gives reserved numbers back, at the end of a process. */
void hf_sequence_save(struct hf_sequence *sequence);
