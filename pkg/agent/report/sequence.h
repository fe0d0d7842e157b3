/* agent/report/sequence.h - the numbers of statuses, which only grow, even over restarts and power cuts. Loop thread
 * only. A call blocks while it writes the file, which is rare.
 *
 * The agent reserves a block of numbers on the disk (<state>/sequence) before it uses the first number of the block. So
 * most heartbeats cost no disk write. */
#pragma once

#include "agent/env.h"

struct hf_sequence {
    const struct hf_agent_env *env;
    uint64_t number;  /* number of the last status made */
    uint64_t durable; /* the disk has reserved all numbers below this number */
    bool uncertain;   /* the disk has no number: continue from the number that the source shows */
};

/* Reads the file <state>/sequence. */
void hf_sequence_load(struct hf_sequence *sequence, const struct hf_agent_env *env);

/* Returns a new number. */
uint64_t hf_sequence_next(struct hf_sequence *sequence);

/* Releases the reserved numbers that nobody used. Call at the end of a process. */
void hf_sequence_save(struct hf_sequence *sequence);
