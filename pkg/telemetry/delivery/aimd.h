/* telemetry/delivery/aimd.h - limits the number of concurrent requests to a sink and the bytes per second.
 *
 * Concurrency follows response times by additive increase and multiplicative decrease (Chiu and Jain, 1989; as in
 * Netflix's concurrency-limits): a fast answer adds 1/n, a slow, overloaded or failed one halves the limit, once per
 * round trip. "Slow" is both twice the usual response time and 50 ms above it. The usual time drops at once and rises
 * slowly.
 *
 * Bandwidth: each byte sent costs 1/limit seconds, and the next request starts when they have passed; one second of
 * credit can build up.
 *
 * Pure: plain values, no clock; times are monotonic nanoseconds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HF_AIMD_MAX = 8 };

struct hf_aimd {
    double window;          /* 1..HF_AIMD_MAX */
    uint64_t usual_ns;      /* usual response time; 0: unknown */
    uint64_t cut_at_ns;     /* time of the last halving */
    uint64_t limit;         /* bytes per second; 0: no limit */
    uint64_t paid_until_ns; /* time at which the bytes sent so far are paid for */
};

void hf_aimd_init(struct hf_aimd *pace, uint64_t limit);
/* Returns the number of requests that may be in flight at the same time. */
unsigned hf_aimd_concurrency(const struct hf_aimd *pace);
/* Adapts to an answer that took took_ns to a request from began_ns. good: the sink accepted it and was not overloaded.
 */
void hf_aimd_answered(struct hf_aimd *pace, uint64_t began_ns, uint64_t took_ns, bool good);
/* Charges a request that starts now. */
void hf_aimd_spend(struct hf_aimd *pace, uint64_t bytes, uint64_t now_ns);
/* Returns the time at which the next request may start; 0: at once. */
uint64_t hf_aimd_wait_until_ns(const struct hf_aimd *pace);
