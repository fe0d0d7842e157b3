/* SPDX-License-Identifier: Apache-2.0 */
/* Why a machine waits, for its status. In memory only. Pure. */
#pragma once

#include <stdbool.h>

enum { HF_STEER_MESSAGE = 385 }; /* with the terminator */

/* The owner's numbers. Reason 0: no wait; the status shows the record's. With topics the success of one thing does not
 * hide the failure of another. */
struct hf_steer_wait {
    unsigned reason, topic;
    char message[HF_STEER_MESSAGE];
};

/* `message`: NULL is ""; cut between characters. True: the status changes. */
bool hf_steer_wait_set(struct hf_steer_wait *wait, unsigned topic, unsigned reason, const char *message);
/* Ends a wait of this topic alone. True: the status changes. */
bool hf_steer_wait_end(struct hf_steer_wait *wait, unsigned topic);
