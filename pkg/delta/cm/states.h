/* delta/cm/states.h - bit histories: what a byte of state says about the bits that came behind a context: how many zeros and ones, and
 * which came last (after Matt Mahoney's description of nonstationary bit histories in PAQ). State 0: nothing came yet; states are
 * numbered by how many bits they count. */
#pragma once

#include <stdint.h>

enum { DELTA_STATES = 256 };

/* next[s][bit]: the state that follows s; chance[s]: of a 1, in 1/2^32, before anything more was learned. */
void delta_states_init(uint8_t next[DELTA_STATES][2], uint32_t chance[DELTA_STATES]);
