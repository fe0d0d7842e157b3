/* SPDX-License-Identifier: Apache-2.0 */
/* Why a machine waits, for its status. In memory only. Pure. */
#pragma once

#include <stdbool.h>

enum { HF_STEER_MESSAGE = 385 }; /* bytes, with the terminator */

/* Numbers of the owner. Reason 0: none, and the status shows that of the record. The topic keeps the success of one
 * thing from hiding the failure of another. */
struct hf_steer_wait {
    unsigned reason, topic;
    char message[HF_STEER_MESSAGE];
};

/* `message` NULL: ""; a long one is cut between characters. True: the status changes. */
bool hf_steer_wait_set(struct hf_steer_wait *wait, unsigned topic, unsigned reason, const char *message);
/* Removes a reason of this topic. True: the status changes. */
bool hf_steer_wait_end(struct hf_steer_wait *wait, unsigned topic);
