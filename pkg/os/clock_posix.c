#include "os/clock_posix.h"

#include <time.h>

#include "base/macros.h"

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
