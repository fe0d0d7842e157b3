/* SPDX-License-Identifier: Apache-2.0 */
/*   threshold     begins beyond a bound, ends inside it by the hysteresis
 *   zScore        begins beyond so many standard deviations from the mean, after 16 values
 *   rateOfChange  begins with a change by more than the bound within `per`
 *   absence       begins without a value for that time
 *
 * All but threshold end with the next value inside.
 *
 * zScore: mean and deviation are exponentially weighted; a value outside the bound changes them only as much as a
 * value at the bound would. rateOfChange compares a value with an earlier one that is about as old as `per`.
 * threshold and zScore use a counter's increase per second. */
#include "telemetry/pipeline/anomaly.h"

#include <errno.h>
#include <math.h>

int hf_anomaly_init(struct hf_anomaly_rule_state *state, const struct hf_telemetry_anomaly *rule)
{
    *state = (struct hf_anomaly_rule_state){.rule = rule};
    if (rule->before > 0)
        state->before = calloc((size_t)rule->before, sizeof(*state->before));
    return rule->before > 0 && state->before == NULL ? -ENOMEM : 0;
}

void hf_anomaly_done(struct hf_anomaly_rule_state *state)
{
    free(hf_steal(state->before));
}

/* ---- comparison -------------------------------------------------------------------------------------------------- */

static double seconds_between(const struct hf_sample *from, const struct hf_sample *to)
{
    return to->mono_ns > from->mono_ns ? (double)(to->mono_ns - from->mono_ns) / (double)HF_NS_PER_S : 0;
}

/* Sets *ret to the value or, for a counter, to its increase per second; false: unknown before the second value. */
static bool level_of(const struct hf_anomaly_rule_state *state, enum hf_value_kind kind, const struct hf_sample *point,
                     double *ret)
{
    *ret = point->value;
    if (kind != HF_VALUE_COUNTER)
        return true;
    double seconds = state->seen > 0 ? seconds_between(&state->last, point) : 0;
    if (seconds <= 0)
        return false;
    *ret = (point->value < state->last.value ? point->value : point->value - state->last.value) / seconds;
    return true;
}

/* At least a tiny value: a series that never changed must not make any change infinite. */
static double deviation_of(const struct hf_anomaly_rule_state *state)
{
    return HF_MAX(sqrt(state->variance), 1e-6 * fabs(state->mean) + 1e-9);
}

/* Returns the oldest anchor within `per` and an eighth more, otherwise the newest; NULL: none. */
static const struct hf_sample *anchor_of(const struct hf_anomaly_rule_state *state, uint64_t now_ns)
{
    uint64_t reach = state->rule->window_ns + state->rule->window_ns / HF_ANOMALY_ANCHORS;

    for (size_t i = 0; i < state->n_anchors; i++)
        if (now_ns - state->anchors[i].mono_ns <= reach)
            return &state->anchors[i];
    return state->n_anchors > 0 ? &state->anchors[state->n_anchors - 1] : NULL;
}

static bool change_of(const struct hf_anomaly_rule_state *state, enum hf_value_kind kind, const struct hf_sample *point,
                      double *ret)
{
    const struct hf_sample *anchor = anchor_of(state, point->mono_ns);
    double per = (double)state->rule->window_ns / (double)HF_NS_PER_S;

    if (anchor == NULL || seconds_between(anchor, point) < per / 2)
        return false;
    double seconds = seconds_between(anchor, point);
    bool reset = kind == HF_VALUE_COUNTER && point->value < anchor->value;
    *ret = (reset ? point->value : point->value - anchor->value) / seconds * per;
    return true;
}

static bool is_out(const struct hf_anomaly_rule_state *state, enum hf_value_kind kind, const struct hf_sample *point,
                   double *measured)
{
    const struct hf_telemetry_anomaly *rule = state->rule;
    double back = state->active ? rule->hysteresis : 0;

    *measured = point->value;
    switch (rule->kind) {
    case HF_ANOMALY_THRESHOLD:
        return level_of(state, kind, point, measured) &&
               (*measured > rule->above - back || *measured < rule->below + back);
    case HF_ANOMALY_ZSCORE:
        if (!level_of(state, kind, point, measured) || state->learned < HF_ANOMALY_LEARNED)
            return false;
        *measured = (*measured - state->mean) / deviation_of(state);
        return fabs(*measured) > rule->above;
    case HF_ANOMALY_RATE:
        return change_of(state, kind, point, measured) && fabs(*measured) > rule->above;
    case HF_ANOMALY_ABSENCE:
    default:
        return false;
    }
}

enum hf_anomaly_phase hf_anomaly_judge(const struct hf_anomaly_rule_state *state, enum hf_value_kind kind,
                                       const struct hf_sample *point, double *ret_measured)
{
    bool out = is_out(state, kind, point, ret_measured);

    if (out)
        return state->active ? HF_ANOMALY_PHASE_LASTS : HF_ANOMALY_PHASE_BEGINS;
    return state->active ? HF_ANOMALY_PHASE_ENDS : HF_ANOMALY_PHASE_NORMAL;
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

/* Exponentially weighted mean and variance (Finch 2009, "Incremental calculation of weighted mean and variance"). The
 * weight follows from the time since the last value; with less than a window of values it gives plain averages. */
static void learn_level(struct hf_anomaly_rule_state *state, enum hf_value_kind kind, const struct hf_sample *point)
{
    double level, weight, bound = state->rule->above * deviation_of(state);

    if (!level_of(state, kind, point, &level))
        return;
    weight = 1 - exp(-seconds_between(&state->last, point) * (double)HF_NS_PER_S / (double)state->rule->window_ns);
    weight = HF_MAX(weight, 1 / (double)(state->learned + 1));
    if (state->learned >= HF_ANOMALY_LEARNED)
        level = HF_MAX(HF_MIN(level, state->mean + bound), state->mean - bound);
    double apart = level - state->mean;
    state->mean += weight * apart;
    state->variance = (1 - weight) * (state->variance + weight * apart * apart);
    state->learned++;
}

static void learn_anchor(struct hf_anomaly_rule_state *state, const struct hf_sample *point)
{
    uint64_t apart_ns = state->rule->window_ns / HF_ANOMALY_ANCHORS;

    if (state->n_anchors > 0 && point->mono_ns - state->anchors[state->n_anchors - 1].mono_ns < apart_ns)
        return;
    if (state->n_anchors == HF_ANOMALY_ANCHORS)
        memmove(state->anchors, state->anchors + 1, --state->n_anchors * sizeof(state->anchors[0]));
    state->anchors[state->n_anchors++] = *point;
}

static void learn_before(struct hf_anomaly_rule_state *state, const struct hf_sample *point)
{
    if (state->before == NULL || state->before_open > 0)
        return;
    state->before[state->before_at] = *point;
    size_t most = (size_t)state->rule->before;
    state->before_at = (state->before_at + 1) % most;
    state->before_n = HF_MIN(state->before_n + 1, most);
}

static void open_finding(struct hf_pending_finding *finding, const struct hf_sample *point, double measured)
{
    *finding = (struct hf_pending_finding){
        .open = true, .unix_ns = point->unix_ns, .value = point->value, .measured = measured};
}

void hf_anomaly_learn(struct hf_anomaly_rule_state *state, enum hf_value_kind kind, const struct hf_sample *point,
                      enum hf_anomaly_phase phase, double measured, bool with_context)
{
    if (phase == HF_ANOMALY_PHASE_BEGINS) {
        open_finding(&state->begins, point, measured);
        state->before_open = with_context ? state->before_n : 0;
        state->after = state->rule->after;
    } else if (state->after > 0) {
        state->after--;
    }
    if (phase == HF_ANOMALY_PHASE_ENDS)
        open_finding(&state->ends, point, measured);
    state->active = phase == HF_ANOMALY_PHASE_BEGINS || phase == HF_ANOMALY_PHASE_LASTS;
    if (state->rule->kind == HF_ANOMALY_ZSCORE)
        learn_level(state, kind, point);
    if (state->rule->kind == HF_ANOMALY_RATE)
        learn_anchor(state, point);
    if (with_context && phase != HF_ANOMALY_PHASE_BEGINS) /* that value passes itself */
        learn_before(state, point);
    state->last = *point;
    state->seen++;
}

uint64_t hf_anomaly_missing_at_ns(const struct hf_anomaly_rule_state *state)
{
    if (state->rule->kind != HF_ANOMALY_ABSENCE || state->active)
        return HF_NEVER;
    return state->last.mono_ns + state->rule->window_ns;
}

bool hf_anomaly_missing(struct hf_anomaly_rule_state *state, uint64_t now_ns, uint64_t unix_ns)
{
    if (now_ns < hf_anomaly_missing_at_ns(state))
        return false;
    struct hf_sample point = {.mono_ns = now_ns, .unix_ns = unix_ns, .value = state->last.value};
    open_finding(&state->begins, &point, (double)(now_ns - state->last.mono_ns) / (double)HF_NS_PER_S);
    state->active = true;
    return true;
}
