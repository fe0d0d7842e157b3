/* SPDX-License-Identifier: Apache-2.0 */
/* Limits requests in flight and bytes per second to a sink. Fast answers raise `window`; slow answers, failures and
 * overload may halve it. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HF_AIMD_MAX = 8 };

struct hf_aimd {
    double window;     /* requests in flight, 1 to HF_AIMD_MAX */
    uint64_t usual_ns; /* usual time of an answer */
    uint64_t cut_at_ns;
    uint64_t limit;         /* bytes per second; 0: no limit */
    uint64_t paid_until_ns; /* when the next request may start */
};

void hf_aimd_init(struct hf_aimd *pace, uint64_t limit);
unsigned hf_aimd_concurrency(const struct hf_aimd *pace);
/* `good`: the sink works and is not overloaded, even if it refused the content. */
void hf_aimd_answered(struct hf_aimd *pace, uint64_t began_ns, uint64_t took_ns, bool good);
void hf_aimd_spend(struct hf_aimd *pace, uint64_t bytes, uint64_t now_ns);
uint64_t hf_aimd_wait_until_ns(const struct hf_aimd *pace);
