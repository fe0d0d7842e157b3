/* SPDX-License-Identifier: Apache-2.0 */
/* Bit histories (nonstationary, after Matt Mahoney's PAQ): a byte counts zeros and ones after a context, and has the
 * last bit. Ascending by bits counted. Pure. */
#pragma once

#include <stdint.h>

enum { DELTA_STATES = 256 };

/* chance[s]: first probability of a 1, in 1/2^32. */
void delta_states_init(uint8_t next[DELTA_STATES][2], uint32_t chance[DELTA_STATES]);
