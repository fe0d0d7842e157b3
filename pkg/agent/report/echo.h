/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the reported EdgeNode with this node's last status. A higher number (report/sequence.h) may mean that the
 * disk was restored, or that another agent uses the name. */
#pragma once

#include "agent/report/sequence.h"

struct hf_echo {
    uint64_t awaited; /* number that the source should report; 0: none */
    uint64_t highest; /* highest number reported since the EdgeNode was last absent */
    int64_t generation;
    unsigned adoptions;
    uint64_t adopted_ns;
    bool exists;
    bool heard; /* the source has reported whether it exists */
};

enum hf_echo_news {
    HF_ECHO_NOTHING,
    HF_ECHO_WRITE_AGAIN, /* the EdgeNode is absent, or its number fell */
    HF_ECHO_ADOPTED,     /* the higher number was adopted: write above it */
    HF_ECHO_SHARED,      /* a higher number was adopted more than three times lately: do not write in answer */
    HF_ECHO_DELIVERED,
};

/* Takes the reported EdgeNode; NULL: it does not exist. *ret_first: this is the first report to this process. */
enum hf_echo_news hf_echo_take(struct hf_echo *echo, const json_t *edgenode, struct hf_sequence *sequence,
                               bool *ret_first);

bool hf_echo_name_shared(const struct hf_echo *echo);

/* If the name is shared, returns true once after an hour without a higher number: it is shared no more. */
bool hf_echo_forget(struct hf_echo *echo, uint64_t now_ns);

/* Copies transition times of conditions with the same type and status from `theirs`. */
void hf_echo_adopt_times(json_t *ours, const json_t *theirs);
