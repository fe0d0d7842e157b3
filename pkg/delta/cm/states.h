/* SPDX-License-Identifier: Apache-2.0 */
/* delta/cm/states.h - bit histories. A bit history is one byte of state, which counts the zeros and ones after a
 * context and remembers the last bit. The method follows Matt Mahoney's description of nonstationary bit histories in
 * PAQ. The states are numbered in ascending order of how many bits they have counted; state 0 has counted none. Pure;
 * any thread. */
#pragma once

#include <stdint.h>

enum { DELTA_STATES = 256 };

/* Fills both tables. next[s][bit] is the state that follows state s when `bit` comes. chance[s] is the initial
 * probability of a 1 in state s, in units of 1/2^32. */
void delta_states_init(uint8_t next[DELTA_STATES][2], uint32_t chance[DELTA_STATES]);
