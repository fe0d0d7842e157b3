/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of eight 16-bit integers, by SSE2, NEON or C with the same results for inputs in use. Pure. */
#pragma once

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

enum { DELTA_LANES = 8 };

typedef int16_t delta_lanes __attribute__((vector_size(2 * DELTA_LANES)));

/* Adds, and saturates. */
static inline delta_lanes delta_lanes_add(delta_lanes a, delta_lanes b)
{
#if defined(__SSE2__)
    return (delta_lanes)_mm_adds_epi16((__m128i)a, (__m128i)b);
#elif defined(__aarch64__)
    return (delta_lanes)vqaddq_s16((int16x8_t)a, (int16x8_t)b);
#else
    int16_t x[DELTA_LANES], y[DELTA_LANES];

    memcpy(x, &a, sizeof(x));
    memcpy(y, &b, sizeof(y));
    for (unsigned i = 0; i < DELTA_LANES; i++) {
        int32_t sum = (int32_t)x[i] + y[i];
        x[i] = (int16_t)(sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum);
    }
    memcpy(&a, x, sizeof(x));
    return a;
#endif
}

static inline int32_t delta_lanes_dot(delta_lanes a, delta_lanes b)
{
#if defined(__SSE2__)
    __m128i sum = _mm_madd_epi16((__m128i)a, (__m128i)b);
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1)));
#elif defined(__aarch64__)
    int32x4_t sum = vmull_s16(vget_low_s16((int16x8_t)a), vget_low_s16((int16x8_t)b));
    return vaddvq_s32(vmlal_high_s16(sum, (int16x8_t)a, (int16x8_t)b));
#else
    int32_t sum = 0;

    for (unsigned i = 0; i < DELTA_LANES; i++)
        sum += a[i] * b[i];
    return sum;
#endif
}

static inline delta_lanes delta_lanes_scaled(delta_lanes a, delta_lanes b)
{
#if defined(__SSE2__)
    return (delta_lanes)_mm_mulhi_epi16((__m128i)a, (__m128i)b);
#elif defined(__aarch64__)
    return (delta_lanes)vshrq_n_s16(vqdmulhq_s16((int16x8_t)a, (int16x8_t)b), 1);
#else
    int16_t x[DELTA_LANES], y[DELTA_LANES];

    memcpy(x, &a, sizeof(x));
    memcpy(y, &b, sizeof(y));
    for (unsigned i = 0; i < DELTA_LANES; i++) {
        int32_t product = (int32_t)x[i] * y[i];
        /* otherwise GCC 12 multiplies two lanes as one number on 32-bit ARM and RISC-V */
        __asm__("" : "+r"(product));
        x[i] = (int16_t)(product >> 16);
    }
    memcpy(&a, x, sizeof(x));
    return a;
#endif
}

/* Returns how much the weights change: input * error / 2^16, rounded; |input| < 2^14. */
static inline delta_lanes delta_lanes_step(delta_lanes input, int16_t error)
{
    delta_lanes by =
        delta_lanes_scaled(input + input, (delta_lanes){error, error, error, error, error, error, error, error});

    return (by + 1) >> 1;
}

/* Returns a bit for each lane, set if it is negative. */
static inline unsigned delta_lanes_negative(delta_lanes a)
{
#if defined(__SSE2__)
    return (unsigned)_mm_movemask_epi8(_mm_packs_epi16((__m128i)a, _mm_setzero_si128()));
#else
    static const delta_lanes lane = {1, 2, 4, 8, 16, 32, 64, 128};
    delta_lanes bits = (a >> 15) & lane;
    unsigned all = 0;

    for (unsigned i = 0; i < DELTA_LANES; i++)
        all |= (unsigned)bits[i];
    return all;
#endif
}

static inline delta_lanes delta_lanes_zip_low(delta_lanes a, delta_lanes b)
{
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

static inline delta_lanes delta_lanes_zip_high(delta_lanes a, delta_lanes b)
{
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

static inline delta_lanes delta_lanes_low(delta_lanes a, delta_lanes b)
{
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
}

static inline delta_lanes delta_lanes_high(delta_lanes a, delta_lanes b)
{
    return __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
}
