/* SPDX-License-Identifier: Apache-2.0 */
/*   CLOSED --5 failures in a row--> OPEN --back-off passed--> HALF_OPEN: one probe --it passes--> CLOSED
 *                                    ^-------------- it fails; longer back-off ------'
 *
 * A missing network has the same effect: an offline node sends one probe per back-off. */
#include "telemetry/delivery/breaker.h"

void hf_breaker_init(struct hf_breaker_state *breaker, uint64_t base_ns, uint64_t cap_ns)
{
    base_ns = HF_MAX(base_ns, HF_NS_PER_S);
    *breaker = (struct hf_breaker_state){
        .state = HF_BREAKER_CLOSED,
        .backoff = {.base_ns = base_ns, .cap_ns = HF_MAX(base_ns, cap_ns), .floor_ns = base_ns / 2}};
}

bool hf_breaker_admits(struct hf_breaker_state *breaker, uint64_t now_ns)
{
    if (breaker->state == HF_BREAKER_OPEN && now_ns >= breaker->until_ns) {
        breaker->state = HF_BREAKER_HALF_OPEN;
        breaker->probing = false;
    }
    return breaker->state == HF_BREAKER_CLOSED || (breaker->state == HF_BREAKER_HALF_OPEN && !breaker->probing);
}

void hf_breaker_started(struct hf_breaker_state *breaker)
{
    breaker->probing = breaker->state == HF_BREAKER_HALF_OPEN;
}

static void open_breaker(struct hf_breaker_state *breaker, const struct hf_rand_ops *rng, uint64_t now_ns,
                         uint64_t at_least_ns)
{
    breaker->state = HF_BREAKER_OPEN;
    breaker->probing = false;
    breaker->until_ns = now_ns + hf_backoff_next_ns(&breaker->backoff, rng, at_least_ns);
}

void hf_breaker_ended(struct hf_breaker_state *breaker, bool works, const struct hf_rand_ops *rng, uint64_t now_ns,
                      uint64_t at_least_ns)
{
    if (works) { /* a late answer counts in OPEN too */
        breaker->state = HF_BREAKER_CLOSED;
        breaker->failures = 0;
        breaker->probing = false;
        hf_backoff_reset(&breaker->backoff);
    } else if (breaker->state == HF_BREAKER_HALF_OPEN) {
        open_breaker(breaker, rng, now_ns, at_least_ns);
    } else if (breaker->state == HF_BREAKER_CLOSED && ++breaker->failures >= HF_BREAKER_FAILURES) {
        breaker->failures = 0;
        open_breaker(breaker, rng, now_ns, at_least_ns);
    }
}

uint64_t hf_breaker_wait_until_ns(const struct hf_breaker_state *breaker)
{
    if (breaker->state == HF_BREAKER_OPEN)
        return breaker->until_ns;
    return breaker->state == HF_BREAKER_HALF_OPEN && breaker->probing ? HF_NEVER : 0;
}
