/* SPDX-License-Identifier: Apache-2.0 */
/* Both clocks, read once for all parts of a decision. */
#pragma once

#include "base/clock.h"

struct hf_now {
    uint64_t mono_ns;
    uint64_t unix_ns; /* best guess (node/clock.h); may go back */
};

static inline struct hf_now hf_now_read(const struct hf_clock_ops *clock)
{
    return (struct hf_now){hf_mono_ns(clock), hf_unix_ns(clock)};
}
