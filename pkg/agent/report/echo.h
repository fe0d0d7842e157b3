/* SPDX-License-Identifier: Apache-2.0 */
/* The reported EdgeNode against this node's last status. A higher number (report/sequence.h): the disk was restored, or
 * another agent has the name. */
#pragma once

#include "agent/report/sequence.h"

struct hf_echo {
    uint64_t awaited;    /* written, not come back; 0: none */
    uint64_t highest;    /* since the EdgeNode was absent; 0: none */
    int64_t generation;  /* 0: unknown */
    unsigned adoptions;  /* went on from a higher number */
    uint64_t adopted_ns; /* the last, monotonic */
    bool exists;
    bool heard; /* by the source, whether it exists */
};

enum hf_echo_news {
    HF_ECHO_NOTHING,
    HF_ECHO_WRITE_AGAIN, /* not the newest there */
    HF_ECHO_ADOPTED,     /* from the higher number, and write */
    HF_ECHO_SHARED,      /* more than three times: no write for it */
    HF_ECHO_DELIVERED,   /* ours */
};

/* `edgenode` NULL: it does not exist. *ret_first: the source's first report to this process. */
enum hf_echo_news hf_echo_take(struct hf_echo *echo, const json_t *edgenode, struct hf_sequence *sequence,
                               bool *ret_first);

bool hf_echo_name_shared(const struct hf_echo *echo);

/* After an hour without a higher number hf_echo_name_shared() changes, and this returns true. */
bool hf_echo_forget(struct hf_echo *echo, uint64_t now_ns);

/* Copies lastTransitionTime where type and status are the same. */
void hf_echo_adopt_times(json_t *ours, const json_t *theirs);
