/* SPDX-License-Identifier: Apache-2.0 */
/* Bit histories (nonstationary, after Matt Mahoney's PAQ). A state is a byte that stands for how many zeros and ones
 * were seen after a context, and which came last; states of fewer bits have lower numbers. Pure. */
#pragma once

#include <stdint.h>

enum { DELTA_STATES = 256 };

/* chance[s]: probability of a 1 in state s, in 1/2^32. */
void delta_states_init(uint8_t next[DELTA_STATES][2], uint32_t chance[DELTA_STATES]);
