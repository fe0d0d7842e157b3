/* agent/report/echo.h - the own EdgeNode as the source has it, compared with the status that this node wrote last. Loop
 * thread only.
 *
 * Each status has a number (report/sequence.h). If the source shows a higher number than ours, either our disk is older
 * than the server's object (a restored image), or another agent uses this node's name. Up to three times, the node
 * continues from the higher number. At the fourth time within an hour, the node assumes that another agent shares the
 * name. Each of the two agents would then answer every write of the other agent, so this node writes only with the
 * heartbeat until an hour has passed without a new conflict. */
#pragma once

#include "agent/report/sequence.h"

struct hf_echo {
    uint64_t awaited;    /* number of the written status that has not come back yet; 0: none */
    uint64_t highest;    /* highest number that the source has shown to this process */
    int64_t generation;  /* generation of the EdgeNode; 0: unknown */
    unsigned adoptions;  /* times that the node recently continued from a higher number */
    uint64_t adopted_ns; /* monotonic time at which the node last did so */
    bool exists;         /* the source has our EdgeNode */
    bool heard;          /* the source has reported about our EdgeNode to this process */
};

enum hf_echo_news {
    HF_ECHO_NOTHING,
    HF_ECHO_WRITE_AGAIN, /* the source lacks our newest status: write it */
    HF_ECHO_ADOPTED,     /* the source has a higher number: write with the next number above it */
    HF_ECHO_SHARED,      /* the source had a higher number too often: only the heartbeat writes */
    HF_ECHO_DELIVERED,   /* the source shows the status that this node wrote */
};

/* Takes in the EdgeNode that the source shows (NULL: deleted). *ret_first: true for the first report to this
 * process. */
enum hf_echo_news hf_echo_take(struct hf_echo *echo, const json_t *edgenode, struct hf_sequence *sequence,
                               bool *ret_first);

/* Returns true if another agent writes statuses under this node's name. */
bool hf_echo_name_shared(const struct hf_echo *echo);

/* Forgets old conflicts. Returns true if hf_echo_name_shared() changed. */
bool hf_echo_forget(struct hf_echo *echo, uint64_t now_ns);

/* Copies lastTransitionTime from each condition in `theirs` to the condition in `ours` with the same type and status,
 * because such a condition has not changed since that time. */
void hf_echo_adopt_times(json_t *ours, const json_t *theirs);
