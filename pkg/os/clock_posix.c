/* SPDX-License-Identifier: Apache-2.0 */
#include "os/clock_posix.h"

#include <sys/timex.h>
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

/* Reads the kernel's clock discipline, which the NTP or PTP client sets. */
static uint64_t posix_sync_error_ns(HF_UNUSED void *ctx)
{
    struct timex state = {.modes = 0};
    int r = adjtimex(&state);

    if (r < 0 || r == TIME_ERROR || (state.status & STA_UNSYNC) != 0 || state.maxerror < 0)
        return HF_NEVER;
    return (uint64_t)state.maxerror * HF_NS_PER_US;
}

const struct hf_clock_ops *hf_clock_posix(void)
{
    static const struct hf_clock_ops ops = {
        .mono_ns = posix_mono_ns, .unix_ns = posix_unix_ns, .sync_error_ns = posix_sync_error_ns};

    return &ops;
}
