/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/decision.h"

#include <string.h>

static bool same(const char *a, const char *b)
{
    return a[0] != '\0' && strcmp(a, b) == 0;
}

const char *hf_supervisor_other(const struct hf_supervisor_facts *f, const char *slot)
{
    if (f->good[0] != '\0' && !same(f->good, slot))
        return f->good;
    if (f->previous[0] != '\0' && !same(f->previous, slot) && !same(f->previous, f->given_up))
        return f->previous;
    return NULL;
}

/* A verdict on `current` is a fall back that a power cut interrupted. */
static const char *first(const struct hf_supervisor_facts *f)
{
    const char *other = hf_supervisor_other(f, f->current);

    if (f->current[0] != '\0' && (other == NULL || !same(f->current, f->given_up)))
        return f->current;
    return other != NULL ? other : f->previous[0] != '\0' ? f->previous : NULL;
}

static const char *fault_of(const struct hf_supervisor_facts *f)
{
    bool on_trial = !same(f->ran, f->good);
    bool often = f->ends >= (unsigned)(on_trial ? HF_HOST_TRIAL_ENDS : HF_HOST_GOOD_ENDS);

    if (f->event == HF_SUPERVISOR_NOT_EXECUTABLE)
        return "NotExecutable";
    if (f->event == HF_SUPERVISOR_ENDED && often)
        return "Crashed";
    if (f->event == HF_SUPERVISOR_HUNG && (on_trial || often))
        return "Hung";
    return f->event == HF_SUPERVISOR_LATE && on_trial ? "Late" : NULL;
}

/* 1, 2, 4, ... HF_HOST_WAIT_MAX_S */
static unsigned back_off_s(unsigned ends)
{
    unsigned wait_s = 1U << (ends <= 1 ? 0 : ends < 7 ? ends - 1 : 6);

    return wait_s < HF_HOST_WAIT_MAX_S ? wait_s : HF_HOST_WAIT_MAX_S;
}

struct hf_supervisor_decision hf_supervisor_decide(const struct hf_supervisor_facts *f)
{
    struct hf_supervisor_decision d = {.start = f->ran};

    if (f->event == HF_SUPERVISOR_BEGIN || f->ran[0] == '\0') {
        d.start = first(f);
        return d;
    }
    if (f->current[0] != '\0' && !same(f->current, f->ran)) { /* the agent swapped it */
        d.start = f->current;
        d.forget = same(f->current, f->given_up);
        return d;
    }
    const char *fault = fault_of(f);
    const char *other = fault != NULL ? hf_supervisor_other(f, f->ran) : NULL;
    if (other == NULL) {
        d.wait_s = back_off_s(f->ends);
        return d;
    }
    d.start = other;
    d.give_up = fault;
    return d;
}
