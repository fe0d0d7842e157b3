/* SPDX-License-Identifier: Apache-2.0 */
/* support/draw.h - numbers that look drawn and are the same in each run: a linear congruential generator (Numerical Recipes'
 * ranqd1) without its lowest bits, which repeat soon. One sequence for each file that includes this. */
#pragma once

#include <stdint.h>

static uint32_t draw_seed = 1;

/* 0 to 2^24 - 1. */
static inline uint32_t draw(void)
{
    draw_seed = draw_seed * 1664525 + 1013904223;
    return draw_seed >> 8;
}
