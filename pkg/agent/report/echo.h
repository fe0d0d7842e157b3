/* agent/report/echo.h - the own EdgeNode as the source has it, compared with the status that this node wrote last.
 * Loop thread only.
 *
 * A higher number than ours means that our disk knew less than the server (a restored image), or that another agent
 * has this node's name. The first time, the node continues from the higher number. If that happens again and again,
 * another agent shares the name: each would answer every write of the other. So this node writes only with the
 * heartbeat until an hour has passed without a new conflict. */
#pragma once

#include "agent/report/sequence.h"

struct hf_echo {
    uint64_t awaited;    /* number of the written status that has not come back yet; 0: none */
    uint64_t highest;    /* highest number that the source has shown to this process */
    int64_t generation;  /* generation of the EdgeNode; 0: unknown */
    unsigned adoptions;  /* times that the node recently continued from a higher number */
    uint64_t adopted_ns; /* monotonic time of the last such event */
    bool exists;         /* the source has our EdgeNode */
    bool heard;          /* the source has reported about it to this process */
};

enum hf_echo_news {
    HF_ECHO_NOTHING,
    HF_ECHO_WRITE_AGAIN, /* the source lacks our newest status: write it */
    HF_ECHO_ADOPTED,     /* the source had a higher number: write with one above it */
    HF_ECHO_SHARED,      /* as above, but too often: only the heartbeat writes */
    HF_ECHO_DELIVERED,   /* the source shows the status that this node wrote */
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
