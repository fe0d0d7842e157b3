/* SPDX-License-Identifier: Apache-2.0 */
/* Bit histories (nonstationary, after Matt Mahoney's PAQ): one byte counts zeros and ones after a context and remembers
 * the last bit. States ascend by bits counted. Pure. */
#pragma once

#include <stdint.h>

enum { DELTA_STATES = 256 };

/* chance[s]: initial probability of a 1, in 1/2^32. */
void delta_states_init(uint8_t next[DELTA_STATES][2], uint32_t chance[DELTA_STATES]);
