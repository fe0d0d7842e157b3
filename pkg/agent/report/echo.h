/* agent/report/echo.h - the own EdgeNode as the source has it, compared with what this node wrote. Loop thread only.
 *
 * A higher number than ours means that our disk knew less than the server (a restored image), or that another agent has
 * this node's name. Once, the node takes the higher number over. If it has to do so again and again, another agent
 * shares the name: the two must not drive each other on, so only the heartbeat writes until an hour has passed without
 * a new conflict. */
#pragma once

#include "agent/report/sequence.h"

struct hf_echo {
    uint64_t awaited;    /* number of the written status that has not come back yet; 0: none */
    uint64_t highest;    /* highest number that the source has shown to this process */
    int64_t generation;  /* the EdgeNode's; 0: unknown */
    unsigned adoptions;  /* numbers taken over lately */
    uint64_t adopted_ns; /* the last time, monotonic */
    bool exists;         /* the source has our EdgeNode */
    bool heard;          /* the source has reported about it to this process */
};

enum hf_echo_news {
    HF_ECHO_NOTHING,
    HF_ECHO_WRITE_AGAIN, /* the source lacks our newest status: write it */
    HF_ECHO_ADOPTED,     /* the source had a higher number: write with one above it */
    HF_ECHO_SHARED,      /* the same, too often: leave it to the heartbeat */
    HF_ECHO_DELIVERED,   /* the awaited status is there */
};

/* Takes in the EdgeNode that the source shows (NULL: deleted). *ret_first: the first report to this process. */
enum hf_echo_news hf_echo_take(struct hf_echo *echo, const json_t *edgenode, struct hf_sequence *sequence,
                               bool *ret_first);

/* Returns true if another agent writes statuses under this node's name. */
bool hf_echo_name_shared(const struct hf_echo *echo);

/* Forgets old conflicts. Returns true if hf_echo_name_shared() changed. */
bool hf_echo_forget(struct hf_echo *echo, uint64_t now_ns);

/* Copies lastTransitionTime from `theirs` to each of `ours` with the same type and status: such a condition has not
 * changed since. */
void hf_echo_adopt_times(json_t *ours, const json_t *theirs);
