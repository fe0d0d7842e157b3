/* SPDX-License-Identifier: Apache-2.0 */
/* Requests in flight to a sink, and bytes per second. Fast answers raise the limit `window`; slow ones, failures and
 * overload halve it (AIMD; Chiu and Jain, 1989; Netflix's concurrency-limits). Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HF_AIMD_MAX = 8 };

struct hf_aimd {
    double window;     /* 1 to HF_AIMD_MAX */
    uint64_t usual_ns; /* an answer's */
    uint64_t cut_at_ns;
    uint64_t limit;         /* bytes per second */
    uint64_t paid_until_ns; /* the next request may start */
};

void hf_aimd_init(struct hf_aimd *pace, uint64_t limit);
unsigned hf_aimd_concurrency(const struct hf_aimd *pace);
/* `good`: it works, maybe refused the content, and is not overloaded. */
void hf_aimd_answered(struct hf_aimd *pace, uint64_t began_ns, uint64_t took_ns, bool good);
void hf_aimd_spend(struct hf_aimd *pace, uint64_t bytes, uint64_t now_ns);
uint64_t hf_aimd_wait_until_ns(const struct hf_aimd *pace);
