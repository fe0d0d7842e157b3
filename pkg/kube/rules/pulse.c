#include "kube/rules/pulse.h"

#include "base/macros.h"

void hf_pulse_heard(struct hf_pulse *pulse, uint64_t now_ns)
{
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

void hf_pulse_cut(struct hf_pulse *pulse, uint64_t silence_ns)
{
    uint64_t before_ns = pulse->cut_ns;

    if (pulse->heard_ns == 0 || silence_ns < HF_PULSE_CUT_NS)
        return;
    pulse->cut_ns = silence_ns;
    if (HF_MAX(silence_ns, before_ns) - HF_MIN(silence_ns, before_ns) <= HF_PULSE_SAME_NS)
        pulse->limit_ns = silence_ns - HF_PULSE_MARGIN_NS;
}

void hf_pulse_reset(struct hf_pulse *pulse)
{
    *pulse = (struct hf_pulse){.cut_ns = pulse->cut_ns, .limit_ns = pulse->limit_ns};
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
