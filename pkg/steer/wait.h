/* SPDX-License-Identifier: Apache-2.0 */
/* steer/wait.h - why a machine waits, for its status. In memory only. Pure. */
#pragma once

#include <stdbool.h>

enum { HF_STEER_MESSAGE = 385 }; /* size of a message in bytes, with the terminator */

/* `reason` and `topic` are numbers of the owner. Reason 0: the machine does not wait, and the status shows the reason of
 * its record. The topic says what the reason is about, so that the success of one thing does not hide the failure of
 * another. */
struct hf_steer_wait {
    unsigned reason, topic;
    char message[HF_STEER_MESSAGE];
};

/* Replaces reason, topic and message (NULL counts as ""; a long one is cut between characters). Returns true if the
 * status shows something else now. */
bool hf_steer_wait_set(struct hf_steer_wait *wait, unsigned topic, unsigned reason, const char *message);
/* Removes the reason if it has this topic. Returns true if the status shows something else now. */
bool hf_steer_wait_end(struct hf_steer_wait *wait, unsigned topic);
