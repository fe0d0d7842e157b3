/* SPDX-License-Identifier: Apache-2.0 */
/* agent/report/echo.h - compares the EdgeNode that the source reports with the last status of this node. A higher
 * number (report/sequence.h) than ours means that the disk was restored, or that another agent uses the name. */
#pragma once

#include "agent/report/sequence.h"

struct hf_echo {
    uint64_t awaited;    /* number of a written status that has not come back; 0: none */
    uint64_t highest;    /* since the EdgeNode was last absent; 0: none */
    int64_t generation;  /* the EdgeNode's; 0: unknown */
    unsigned adoptions;  /* times it continued from a higher number */
    uint64_t adopted_ns; /* when it last did (monotonic) */
    bool exists;
    bool heard; /* the source has reported if the EdgeNode exists */
};

enum hf_echo_news {
    HF_ECHO_NOTHING,
    HF_ECHO_WRITE_AGAIN, /* the source lacks the newest status */
    HF_ECHO_ADOPTED,     /* continue from the higher number, and write */
    HF_ECHO_SHARED,      /* more than three times: do not write because of it */
    HF_ECHO_DELIVERED,   /* the source reports our status */
};

/* `edgenode` NULL: it does not exist. *ret_first: the source's first report to this process. */
enum hf_echo_news hf_echo_take(struct hf_echo *echo, const json_t *edgenode, struct hf_sequence *sequence,
                               bool *ret_first);

bool hf_echo_name_shared(const struct hf_echo *echo);

/* True: hf_echo_name_shared() changed, after an hour without a higher number. */
bool hf_echo_forget(struct hf_echo *echo, uint64_t now_ns);

/* Copies lastTransitionTime where type and status are the same: nothing has changed since. */
void hf_echo_adopt_times(json_t *ours, const json_t *theirs);
