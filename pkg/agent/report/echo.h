/* SPDX-License-Identifier: Apache-2.0 */
/* The reported EdgeNode against this node's last status. A higher number (report/sequence.h) means a restored disk, or
 * another agent with the name. */
#pragma once

#include "agent/report/sequence.h"

struct hf_echo {
    uint64_t awaited; /* number written, not yet seen */
    uint64_t highest; /* since it was absent */
    int64_t generation;
    unsigned adoptions; /* of a higher number */
    uint64_t adopted_ns;
    bool exists;
    bool heard; /* whether it exists */
};

enum hf_echo_news {
    HF_ECHO_NOTHING,
    HF_ECHO_WRITE_AGAIN, /* the EdgeNode lacks the newest status */
    HF_ECHO_ADOPTED,     /* took the higher number: write above it */
    HF_ECHO_SHARED,      /* adopted more than three times: do not write for it */
    HF_ECHO_DELIVERED,   /* ours */
};

/* `edgenode` NULL: it does not exist. *ret_first: first report to this process. */
enum hf_echo_news hf_echo_take(struct hf_echo *echo, const json_t *edgenode, struct hf_sequence *sequence,
                               bool *ret_first);

bool hf_echo_name_shared(const struct hf_echo *echo);

/* An hour without a higher number: true once, then the name is not shared. */
bool hf_echo_forget(struct hf_echo *echo, uint64_t now_ns);

/* Takes the transition times of conditions with the same type and status. */
void hf_echo_adopt_times(json_t *ours, const json_t *theirs);
