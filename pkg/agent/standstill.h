/* SPDX-License-Identifier: Apache-2.0 */
/* For --once: since when no object and no byte of a download has come, no phase has changed, and nothing runs
 * that has a deadline of its own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/parts.h"

#define HF_STANDSTILL_NS (600 * HF_NS_PER_S) /* then --once gives up */

struct hf_standstill {
    uint64_t stamp;    /* of all that may get on */
    uint64_t since_ns; /* 0: not looked yet */
};

bool hf_standstill_look(struct hf_standstill *standstill, const struct hf_agent_parts *parts);
