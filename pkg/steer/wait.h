/* SPDX-License-Identifier: Apache-2.0 */
/* Why a machine waits, for its status. In memory only. Pure. */
#pragma once

#include <stdbool.h>

enum { HF_STEER_MESSAGE = 385 };

/* The owner defines the numbers; reason 0: no wait. With topics, success in one matter does not hide failure in
 * another. */
struct hf_steer_wait {
    unsigned reason, topic;
    char message[HF_STEER_MESSAGE];
};

/* `message`: NULL is ""; a long one is cut between characters. Returns whether the status changes. */
bool hf_steer_wait_set(struct hf_steer_wait *wait, unsigned topic, unsigned reason, const char *message);
/* Ends the wait if it has this topic. Returns whether the status changes. */
bool hf_steer_wait_end(struct hf_steer_wait *wait, unsigned topic);
