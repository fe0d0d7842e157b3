/* delta/cm/states.h - bit histories: one byte of state counts the zeros and ones after a context and remembers the
 * last bit (after Matt Mahoney's description of nonstationary bit histories in PAQ). State 0 is empty; states ascend
 * by the number of bits they count. Read-only tables; any thread. */
#pragma once

#include <stdint.h>

enum { DELTA_STATES = 256 };

/* next[s][bit] is the state after s and bit; chance[s] is the initial probability of a 1, in 1/2^32. */
void delta_states_init(uint8_t next[DELTA_STATES][2], uint32_t chance[DELTA_STATES]);
