/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/delivery/aimd.h - limits how many requests to a sink are in flight at the same time, and how many bytes per
 * second they send.
 *
 * The limit of concurrent requests (`window`) follows the response times by additive increase and multiplicative
 * decrease (Chiu and Jain, 1989; as in Netflix's concurrency-limits). An answer is slow if it takes more than twice the
 * usual response time and more than 50 ms longer than usual; otherwise it is fast. A fast answer adds 1/`window` to
 * `window`. A slow answer, a failure or a report of overload halves `window`, at most once per round trip. Failures and
 * reports of overload do not change the usual response time. Every other answer does: if it took less than the usual
 * time, its own time becomes the usual time at once; otherwise the usual time rises by a sixteenth of the difference.
 *
 * With a bandwidth limit of L bytes per second, each sent byte uses up 1/L seconds. The next request does not start
 * before all earlier bytes have used up their time. While nothing is sent, up to one second of unused time accumulates
 * for later requests.
 *
 * Pure; struct hf_aimd is a plain value, and all times are monotonic nanoseconds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HF_AIMD_MAX = 8 };

struct hf_aimd {
    double window;          /* limit of concurrent requests, from 1 to HF_AIMD_MAX */
    uint64_t usual_ns;      /* usual response time of the sink (0 means unknown) */
    uint64_t cut_at_ns;     /* time at which the limit of concurrent requests was last halved */
    uint64_t limit;         /* bandwidth limit in bytes per second (0 means no limit) */
    uint64_t paid_until_ns; /* time from which the bandwidth limit lets the next request start */
};

void hf_aimd_init(struct hf_aimd *pace, uint64_t limit);
/* Returns how many requests may be in flight at the same time. */
unsigned hf_aimd_concurrency(const struct hf_aimd *pace);
/* Adapts the limit of concurrent requests to an answer. The request began at `began_ns` and took `took_ns`. Pass
 * good = true if the answer shows that the sink works (even if it refused the content) and is not overloaded. */
void hf_aimd_answered(struct hf_aimd *pace, uint64_t began_ns, uint64_t took_ns, bool good);
/* Counts `bytes`, the size of a request that starts now, against the bandwidth limit. */
void hf_aimd_spend(struct hf_aimd *pace, uint64_t bytes, uint64_t now_ns);
/* Returns the earliest time at which the bandwidth limit lets the next request start. A result in the past means that
 * the request may start now. Without a bandwidth limit the result is 0. */
uint64_t hf_aimd_wait_until_ns(const struct hf_aimd *pace);
