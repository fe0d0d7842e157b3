/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"

#include "base/macros.h"

void hf_backoff_reset(struct hf_backoff *backoff)
{
    backoff->attempt = 0;
}

uint64_t hf_backoff_next_ns(struct hf_backoff *backoff, const struct hf_rand_ops *rng, uint64_t at_least_ns)
{
    uint64_t ceiling = backoff->base_ns;

    for (unsigned i = 0; i < backoff->attempt && ceiling < backoff->cap_ns; i++)
        ceiling = ceiling > backoff->cap_ns / 2 ? backoff->cap_ns : ceiling * 2;
    if (backoff->attempt < UINT32_MAX)
        backoff->attempt++;
    ceiling = HF_MIN(ceiling, backoff->cap_ns);
    uint64_t drawn = hf_rand_below(rng, ceiling + 1); /* draw once: HF_MAX evaluates twice */
    uint64_t delay = HF_MAX(drawn, backoff->floor_ns);
    if (at_least_ns > 0 && delay < at_least_ns)
        delay = at_least_ns + hf_rand_below(rng, at_least_ns / 10 + 1);
    return delay;
}
