/* SPDX-License-Identifier: Apache-2.0 */
/* agent/report/echo.h - compares this node's EdgeNode, as the source reports it, with the status that this node wrote
 * last. Threads: loop thread only.
 *
 * Each status has a number (report/sequence.h). If the source reports a higher number than this node's last number,
 * either the node's disk is older than the server's object (a restored disk image), or another agent uses this node's
 * name. The node then always continues from the higher number. The first three times, it also writes its status again.
 * From the fourth time on, the node assumes that another agent uses the same name, and does not answer a higher number
 * with a write; its own changes and the heartbeat still cause writes. Without this limit, two agents with the same name
 * would answer every write of each other with a new write. After more than an hour without a higher number, the
 * assumption ends and the count starts again. */
#pragma once

#include "agent/report/sequence.h"

struct hf_echo {
    uint64_t awaited; /* number of the written status that the source has not reported yet (0 means none) */
    /* highest number that the source has reported since the EdgeNode was last absent (0 means none) */
    uint64_t highest;
    int64_t generation;  /* generation of this node's EdgeNode (0 means unknown) */
    unsigned adoptions;  /* number of times that the node has continued from a higher number since the count started */
    uint64_t adopted_ns; /* monotonic time at which the node last continued from a higher number */
    bool exists;         /* true if the source has this node's EdgeNode */
    /* true if the source has reported to this process whether this node's EdgeNode exists */
    bool heard;
};

enum hf_echo_news {
    HF_ECHO_NOTHING,
    HF_ECHO_WRITE_AGAIN, /* the source does not have this node's newest status, so write the status again */
    HF_ECHO_ADOPTED,     /* the source has a higher number, so write the status with the next number above it */
    HF_ECHO_SHARED,      /* the source has had a higher number more than three times, so do not write because of it */
    HF_ECHO_DELIVERED,   /* the source reports the status that this node wrote */
};

/* Compares the EdgeNode that the source reports with the status that this node wrote last, and returns what to do.
 * `edgenode` is NULL if the EdgeNode does not exist. Sets *ret_first to true if this is the source's first report to
 * this process. */
enum hf_echo_news hf_echo_take(struct hf_echo *echo, const json_t *edgenode, struct hf_sequence *sequence,
                               bool *ret_first);

/* Returns true if the node assumes that another agent writes statuses under this node's name. */
bool hf_echo_name_shared(const struct hf_echo *echo);

/* Ends the assumption that another agent uses this node's name, if the source has reported no higher number for an
 * hour. Returns true if the result of hf_echo_name_shared() changed. */
bool hf_echo_forget(struct hf_echo *echo, uint64_t now_ns);

/* Copies lastTransitionTime from a condition in `theirs` to the condition in `ours` with the same type and status,
 * because a condition with the same status has not changed since then. */
void hf_echo_adopt_times(json_t *ours, const json_t *theirs);
