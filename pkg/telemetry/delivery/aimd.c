/* SPDX-License-Identifier: Apache-2.0 */
/* Additive increase, multiplicative decrease (Chiu and Jain, 1989; as in Netflix's concurrency-limits). An answer is
 * slow if it takes more than twice the usual response time and more than 50 ms longer. A fast answer adds 1/window
 * to the window. A slow answer, a failure or a report of overload halves the window, at most once per round trip.
 * Failures and reports of overload do not change the usual time; a faster answer lowers it at once, a slower one
 * raises it by a sixteenth of the difference.
 *
 * With a bandwidth limit of L bytes per second, each sent byte uses up 1/L seconds. The next request starts when all
 * earlier bytes have used up their time. While nothing is sent, up to one second of unused time accumulates. */
#include "telemetry/delivery/aimd.h"

#include "base/clock.h"
#include "base/macros.h"

#define SLOW_ABOVE_NS (50 * HF_NS_PER_MS)
#define SAVED_NS HF_NS_PER_S

void hf_aimd_init(struct hf_aimd *pace, uint64_t limit)
{
    *pace = (struct hf_aimd){.window = 1, .limit = limit};
}

unsigned hf_aimd_concurrency(const struct hf_aimd *pace)
{
    return (unsigned)pace->window;
}

static void learn(struct hf_aimd *pace, uint64_t took_ns)
{
    if (pace->usual_ns == 0 || took_ns < pace->usual_ns)
        pace->usual_ns = HF_MAX(took_ns, (uint64_t)1);
    else
        pace->usual_ns += (took_ns - pace->usual_ns) / 16;
}

void hf_aimd_answered(struct hf_aimd *pace, uint64_t began_ns, uint64_t took_ns, bool good)
{
    bool slow = pace->usual_ns > 0 && took_ns > 2 * pace->usual_ns && took_ns > pace->usual_ns + SLOW_ABOVE_NS;

    if (good)
        learn(pace, took_ns);
    if (good && !slow) {
        pace->window = HF_MIN(pace->window + 1 / pace->window, (double)HF_AIMD_MAX);
    } else if (began_ns >= pace->cut_at_ns) { /* an answer to an older request says nothing about the lower limit */
        pace->window = HF_MAX(pace->window / 2, 1.0);
        pace->cut_at_ns = began_ns + took_ns;
    }
}

void hf_aimd_spend(struct hf_aimd *pace, uint64_t bytes, uint64_t now_ns)
{
    if (pace->limit == 0)
        return;
    uint64_t earliest_ns = now_ns > SAVED_NS ? now_ns - SAVED_NS : 0;
    pace->paid_until_ns = HF_MAX(pace->paid_until_ns, earliest_ns) +
                          (uint64_t)((double)bytes * (double)HF_NS_PER_S / (double)pace->limit);
}

uint64_t hf_aimd_wait_until_ns(const struct hf_aimd *pace)
{
    return pace->limit == 0 ? 0 : pace->paid_until_ns;
}
