/* The real clocks and random numbers. */
#include <errno.h>
#include <sys/random.h>

#include "base/macros.h"
#include "os/fs_posix.h"

static uint64_t read_clock(clockid_t id)
{
    struct timespec now;

    if (clock_gettime(id, &now) < 0 || now.tv_sec < 0)
        return 0;
    return (uint64_t)now.tv_sec * HF_NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t posix_mono_ns(HF_UNUSED void *ctx)
{
    return read_clock(CLOCK_BOOTTIME);
}

static uint64_t posix_unix_ns(HF_UNUSED void *ctx)
{
    return read_clock(CLOCK_REALTIME);
}

const struct hf_clock_ops *hf_clock_posix(void)
{
    static const struct hf_clock_ops ops = {.mono_ns = posix_mono_ns, .unix_ns = posix_unix_ns};

    return &ops;
}

/* The fallback for a kernel that cannot give random bytes yet (first seconds of a board's boot): jitter only needs nodes to
 * differ, and holding up the start until the pool is filled can last minutes there. */
static uint64_t mix(uint64_t x)
{
    /* splitmix64 (Steele, Lea, Flood 2014). */
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

static uint64_t posix_u64(HF_UNUSED void *ctx)
{
    static uint64_t pool[32];
    static size_t left;
    static uint64_t state;

    if (left == 0) {
        ssize_t n = getrandom(pool, sizeof(pool), GRND_NONBLOCK);
        left = n > 0 ? (size_t)n / sizeof(pool[0]) : 0;
    }
    if (left == 0) {
        state = mix(state ^ read_clock(CLOCK_MONOTONIC) ^ (read_clock(CLOCK_REALTIME) << 1));
        return state;
    }
    return pool[--left];
}

const struct hf_rand_ops *hf_rand_posix(void)
{
    static const struct hf_rand_ops ops = {.u64 = posix_u64};

    return &ops;
}
