/* SPDX-License-Identifier: Apache-2.0 */
#include "os/rand_posix.h"

#include <sys/random.h>

#include "base/clock.h"
#include "base/macros.h"
#include "os/clock_posix.h"

/* In the first seconds of a board's boot the kernel may have no random bytes yet. Waiting for them can take minutes,
 * and jitter only needs nodes to differ: mix the clocks instead. */
static uint64_t mix_clocks(void)
{
    static uint64_t state;
    const struct hf_clock_ops *clock = hf_clock_posix();

    state ^= hf_mono_ns(clock) ^ hf_unix_ns(clock) << 1;
    return hf_rand_mix_u64(&state);
}

static uint64_t posix_u64(HF_UNUSED void *ctx)
{
    static uint64_t pool[32];
    static size_t left;

    if (left == 0) {
        ssize_t n = getrandom(pool, sizeof(pool), GRND_NONBLOCK);
        left = n > 0 ? (size_t)n / sizeof(pool[0]) : 0;
    }
    return left > 0 ? pool[--left] : mix_clocks();
}

const struct hf_rand_ops *hf_rand_posix(void)
{
    static const struct hf_rand_ops ops = {.u64 = posix_u64};

    return &ops;
}
