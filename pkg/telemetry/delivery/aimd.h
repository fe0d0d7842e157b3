/* telemetry/delivery/aimd.h - how many batches are under way at once, and how many bytes a second. Pure.
 *
 * At once: additive increase, multiplicative decrease on the time answers take (Chiu and Jain, 1989; the way of Netflix's
 * concurrency-limits): each answer in good time adds 1/n, a slow, overloaded or failed one halves, once for each round trip. "Slow":
 * twice the usual time and 50 ms above it, where the usual time follows slowly upwards and at once downwards.
 * Bytes: each byte sent costs 1 / limit seconds, paid before the next request starts; a second may be saved up. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HF_AIMD_MAX = 8 };

struct hf_aimd {
    double window;      /* 1..HF_AIMD_MAX */
    uint64_t usual_ns;  /* 0: nothing known */
    uint64_t cut_at_ns; /* when it was last halved */
    uint64_t limit;     /* bytes per second, 0 none */
    uint64_t paid_until_ns;
};

void hf_aimd_init(struct hf_aimd *pace, uint64_t limit);
unsigned hf_aimd_concurrency(const struct hf_aimd *pace);
/* An answer came after took_ns to a request that began at began_ns. */
void hf_aimd_answered(struct hf_aimd *pace, uint64_t began_ns, uint64_t took_ns, bool good);
/* Request of so many bytes starts. */
void hf_aimd_spend(struct hf_aimd *pace, uint64_t bytes, uint64_t now_ns);
/* When the next may start; 0: at once. */
uint64_t hf_aimd_wait_until_ns(const struct hf_aimd *pace);
