/* SPDX-License-Identifier: Apache-2.0 */
/* Finds when --once makes no progress: no list of objects is completed, no bytes of downloads come, no phase changes
 * (except up to Fetching), and nothing runs that has a deadline of its own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/parts.h"

#define HF_STANDSTILL_NS (600 * HF_NS_PER_S) /* after this time, --once gives up */

struct hf_standstill {
    uint64_t stamp;
    uint64_t since_ns;
};

/* Whether there was no progress for HF_STANDSTILL_NS. */
bool hf_standstill_look(struct hf_standstill *standstill, const struct hf_agent_parts *parts);
