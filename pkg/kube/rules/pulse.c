/* SPDX-License-Identifier: Apache-2.0 */
/* TCP keepalive does not find a server or proxy that hangs with the connection open. Bookmarks come fairly regularly: a
 * pause may last as long as the longest of the last 10 to 20 minutes plus a margin, HF_PULSE_MIN_NS to HF_PULSE_CAP_NS;
 * then one ping (GET of /version, or of a path that YurtHub does not answer) with a limit of 12 s. A server without
 * bookmarks gets five pings, then none before a byte that answers no ping.
 *
 * A load balancer may close a silent connection (HAProxy after 35 s in kubeadm's documentation, 20 s in older
 * examples), so pings are less than 35 s apart, at first less than 20 s. Two cuts in a row after the same silence teach
 * this limit for 24 h, also on later connections; a cut that answers a packet of ours does not. */
#include "kube/rules/pulse.h"

#include "base/macros.h"
#include "loop/http/http.h"

#define HF_PULSE_LEARN_NS (130 * HF_NS_PER_S) /* two bookmarks of a watch */
#define HF_PULSE_MARGIN_NS (5 * HF_NS_PER_S)
#define HF_PULSE_MIN_NS (20 * HF_NS_PER_S)
#define HF_PULSE_CAP_NS (30 * HF_NS_PER_S)
#define HF_PULSE_WINDOW_NS (600 * HF_NS_PER_S)
/* after a longer pause in 10 to 20 minutes no pings */
#define HF_PULSE_MAX_NS (300 * HF_NS_PER_S)

#define HF_PULSE_CUT_NS (15 * HF_NS_PER_S)           /* a shorter silence before a cut is no load balancer's */
#define HF_PULSE_SAME_NS HF_NS_PER_S                 /* equal silences, at most */
#define HF_PULSE_FORGET_NS (24 * 3600 * HF_NS_PER_S) /* of a learned limit */

void hf_pulse_heard(struct hf_pulse *pulse, uint64_t now_ns)
{
    if (pulse->limit_ns != 0 && now_ns - pulse->limit_at_ns >= HF_PULSE_FORGET_NS)
        pulse->limit_ns = pulse->cut_ns = 0;
    if (pulse->heard_ns == 0)
        pulse->begun_ns = pulse->window_ns = now_ns;
    else
        pulse->longest[0] = HF_MAX(pulse->longest[0], now_ns - pulse->heard_ns);
    pulse->heard_ns = pulse->sign_ns = now_ns;
    pulse->questions = 0;
    if (now_ns - pulse->window_ns >= HF_PULSE_WINDOW_NS) {
        pulse->longest[1] = pulse->longest[0];
        pulse->longest[0] = 0;
        pulse->window_ns = now_ns;
    }
}

void hf_pulse_answered(struct hf_pulse *pulse, uint64_t now_ns)
{
    pulse->sign_ns = now_ns;
    pulse->questions++;
}

static bool is_same(uint64_t a_ns, uint64_t b_ns)
{
    return HF_DISTANCE(a_ns, b_ns) <= HF_PULSE_SAME_NS;
}

void hf_pulse_cut(struct hf_pulse *pulse, uint64_t silence_ns)
{
    uint64_t before_ns = pulse->cut_ns;
    /* A peer that has lost the connection without a word says so when our next packet comes. */
    bool by_probe = is_same(silence_ns, HF_HTTP_KEEPALIVE_IDLE_S * HF_NS_PER_S);

    if (pulse->heard_ns == 0)
        return;
    pulse->cut_ns = silence_ns >= HF_PULSE_CUT_NS && !by_probe ? silence_ns : 0;
    if (pulse->cut_ns == 0 || !is_same(silence_ns, before_ns))
        return;
    pulse->limit_ns = silence_ns - HF_PULSE_MARGIN_NS;
    pulse->limit_at_ns = pulse->sign_ns + silence_ns;
}

void hf_pulse_reset(struct hf_pulse *pulse)
{
    *pulse = (struct hf_pulse){.cut_ns = pulse->cut_ns, .limit_ns = pulse->limit_ns, .limit_at_ns = pulse->limit_at_ns};
}

uint64_t hf_pulse_overdue_ns(const struct hf_pulse *pulse)
{
    uint64_t usual = HF_MAX(pulse->longest[0], pulse->longest[1]);
    bool learned = pulse->heard_ns - pulse->begun_ns >= HF_PULSE_LEARN_NS;
    uint64_t wait_ns =
        !learned ? HF_PULSE_FIRST_NS : HF_MIN(HF_MAX(usual + HF_PULSE_MARGIN_NS, HF_PULSE_MIN_NS), HF_PULSE_CAP_NS);

    if (pulse->heard_ns == 0 || pulse->questions >= HF_PULSE_QUESTIONS || usual > HF_PULSE_MAX_NS)
        return HF_NEVER;
    return pulse->sign_ns + (pulse->limit_ns > 0 ? HF_MIN(wait_ns, pulse->limit_ns) : wait_ns);
}
