/* telemetry/delivery/aimd.h - limits the number of concurrent requests to a sink and the bytes per second.
 *
 * Concurrency follows response times by additive increase and multiplicative decrease (Chiu and Jain, 1989; as in
 * Netflix's concurrency-limits): a fast answer adds 1/limit to the limit; a slow answer, a failure or a report of
 * overload halves the limit, at most once per round trip. An answer is slow if it takes more than twice the usual
 * response time and more than 50 ms longer than usual. A faster answer lowers the usual response time at once; slower
 * answers raise it slowly.
 *
 * Bandwidth: each byte sent costs 1/limit seconds, and the next request starts when the time for all bytes sent so far
 * has passed. An idle sink saves up at most one second of unused time, which later requests may use.
 *
 * Pure: plain values, no clock; times are monotonic nanoseconds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HF_AIMD_MAX = 8 };

struct hf_aimd {
    double window;          /* 1..HF_AIMD_MAX */
    uint64_t usual_ns;      /* usual response time (0 means unknown) */
    uint64_t cut_at_ns;     /* time of the last halving */
    uint64_t limit;         /* bytes per second (0 means no limit) */
    uint64_t paid_until_ns; /* time at which the bytes sent so far are paid for */
};

void hf_aimd_init(struct hf_aimd *pace, uint64_t limit);
/* Returns the number of requests that may be in flight at the same time. */
unsigned hf_aimd_concurrency(const struct hf_aimd *pace);
/* Adapts to the answer to a request that began at began_ns and took took_ns. Pass good = true if the sink accepted the
 * request and was not overloaded. */
void hf_aimd_answered(struct hf_aimd *pace, uint64_t began_ns, uint64_t took_ns, bool good);
/* Counts `bytes` of a request that starts now against the bandwidth. */
void hf_aimd_spend(struct hf_aimd *pace, uint64_t bytes, uint64_t now_ns);
/* Returns the time at which the next request may start. A time in the past (0 without a limit) means at once. */
uint64_t hf_aimd_wait_until_ns(const struct hf_aimd *pace);
