/* SPDX-License-Identifier: Apache-2.0 */
/* For --once: since when no objects and no bytes of downloads have come, no phase has changed, and nothing runs with a
 * deadline of its own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/parts.h"

#define HF_STANDSTILL_NS (600 * HF_NS_PER_S) /* then --once gives up */

struct hf_standstill {
    uint64_t stamp;    /* hash over what progress changes */
    uint64_t since_ns; /* 0: not looked yet */
};

/* True: for HF_STANDSTILL_NS. */
bool hf_standstill_look(struct hf_standstill *standstill, const struct hf_agent_parts *parts);
