/* SPDX-License-Identifier: Apache-2.0 */
#include "steer/wait.h"

#include <stdio.h>
#include <string.h>

#include "base/encoding/utf8.h"

bool hf_steer_wait_set(struct hf_steer_wait *wait, unsigned topic, unsigned reason, const char *message)
{
    struct hf_steer_wait next = {.reason = reason, .topic = topic};

    (void)snprintf(next.message, sizeof(next.message), "%s", message != NULL ? message : "");
    next.message[hf_utf8_prefix(next.message, strlen(next.message))] = '\0';
    bool is_same = next.reason == wait->reason && strcmp(next.message, wait->message) == 0;
    *wait = next;
    return !is_same;
}

bool hf_steer_wait_end(struct hf_steer_wait *wait, unsigned topic)
{
    return wait->topic == topic && hf_steer_wait_set(wait, topic, 0, NULL);
}
