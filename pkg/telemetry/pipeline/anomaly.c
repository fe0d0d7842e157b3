#include "telemetry/pipeline/anomaly.h"

#include <errno.h>
#include <math.h>

int hf_watch_init(struct hf_watch *watch, const struct hf_telemetry_anomaly *rule, size_t rule_index)
{
    *watch = (struct hf_watch){.rule = rule, .rule_index = rule_index};
    if (rule->before > 0)
        watch->before = calloc(rule->before, sizeof(*watch->before));
    return rule->before > 0 && watch->before == NULL ? -ENOMEM : 0;
}

void hf_watch_done(struct hf_watch *watch)
{
    free(watch->before);
    watch->before = NULL;
}

/* ---- what is compared ------------------------------------------------------------------------------------------------ */

static double seconds_between(const struct hf_point *from, const struct hf_point *to)
{
    return to->mono_ns > from->mono_ns ? (double)(to->mono_ns - from->mono_ns) / (double)HF_NS_PER_S : 0;
}

/* Of counters, what they gain per second; not known before the second value. */
static bool level_of(const struct hf_watch *watch, enum hf_value_kind kind, const struct hf_point *point, double *ret)
{
    *ret = point->value;
    if (kind != HF_VALUE_COUNTER)
        return true;
    double seconds = watch->seen > 0 ? seconds_between(&watch->last, point) : 0;
    if (seconds <= 0)
        return false;
    *ret = (point->value < watch->last.value ? point->value : point->value - watch->last.value) / seconds;
    return true;
}

/* A series that never moved would make any move infinite. */
static double deviation_of(const struct hf_watch *watch)
{
    return HF_MAX(sqrt(watch->variance), 1e-6 * fabs(watch->mean) + 1e-9);
}

/* The oldest anchor inside `per` (and an eighth), else the newest. */
static const struct hf_point *anchor_of(const struct hf_watch *watch, uint64_t now_ns)
{
    uint64_t reach = watch->rule->window_ns + watch->rule->window_ns / HF_WATCH_ANCHORS;

    for (size_t i = 0; i < watch->n_anchors; i++)
        if (now_ns - watch->anchors[i].mono_ns <= reach)
            return &watch->anchors[i];
    return watch->n_anchors > 0 ? &watch->anchors[watch->n_anchors - 1] : NULL;
}

static bool change_of(const struct hf_watch *watch, enum hf_value_kind kind, const struct hf_point *point, double *ret)
{
    const struct hf_point *anchor = anchor_of(watch, point->mono_ns);
    double per = (double)watch->rule->window_ns / (double)HF_NS_PER_S;

    if (anchor == NULL || seconds_between(anchor, point) < per / 2)
        return false;
    double seconds = seconds_between(anchor, point);
    bool reset = kind == HF_VALUE_COUNTER && point->value < anchor->value;
    *ret = (reset ? point->value : point->value - anchor->value) / seconds * per;
    return true;
}

static bool is_out(const struct hf_watch *watch, enum hf_value_kind kind, const struct hf_point *point,
                   double *measured)
{
    const struct hf_telemetry_anomaly *rule = watch->rule;
    double back = watch->active ? rule->hysteresis : 0;

    *measured = point->value;
    switch (rule->kind) {
    case HF_ANOMALY_THRESHOLD:
        return level_of(watch, kind, point, measured) &&
               (*measured > rule->above - back || *measured < rule->below + back);
    case HF_ANOMALY_ZSCORE:
        if (!level_of(watch, kind, point, measured) || watch->learned < HF_WATCH_LEARNED)
            return false;
        *measured = (*measured - watch->mean) / deviation_of(watch);
        return fabs(*measured) > rule->above;
    case HF_ANOMALY_RATE:
        return change_of(watch, kind, point, measured) && fabs(*measured) > rule->above;
    case HF_ANOMALY_ABSENCE:
    default:
        return false;
    }
}

enum hf_verdict hf_watch_judge(const struct hf_watch *watch, enum hf_value_kind kind, const struct hf_point *point,
                               double *ret_measured)
{
    bool out = is_out(watch, kind, point, ret_measured);

    if (out)
        return watch->active ? HF_VERDICT_LASTS : HF_VERDICT_BEGINS;
    return watch->active ? HF_VERDICT_ENDS : HF_VERDICT_NORMAL;
}

/* ---- what is remembered ---------------------------------------------------------------------------------------------- */

/* Exponentially weighted mean and variance (Finch 2009, "Incremental calculation of weighted mean and variance"), the weight from the
 * time that passed; plain averages while there is less than a window's worth. */
static void learn_level(struct hf_watch *watch, enum hf_value_kind kind, const struct hf_point *point)
{
    double level, weight, bound = watch->rule->above * deviation_of(watch);

    if (!level_of(watch, kind, point, &level))
        return;
    weight = 1 - exp(-seconds_between(&watch->last, point) * (double)HF_NS_PER_S / (double)watch->rule->window_ns);
    weight = HF_MAX(weight, 1 / (double)(watch->learned + 1));
    if (watch->learned >= HF_WATCH_LEARNED)
        level = HF_MAX(HF_MIN(level, watch->mean + bound), watch->mean - bound);
    double apart = level - watch->mean;
    watch->mean += weight * apart;
    watch->variance = (1 - weight) * (watch->variance + weight * apart * apart);
    watch->learned++;
}

static void learn_anchor(struct hf_watch *watch, const struct hf_point *point)
{
    uint64_t apart_ns = watch->rule->window_ns / HF_WATCH_ANCHORS;

    if (watch->n_anchors > 0 && point->mono_ns - watch->anchors[watch->n_anchors - 1].mono_ns < apart_ns)
        return;
    if (watch->n_anchors == HF_WATCH_ANCHORS)
        memmove(watch->anchors, watch->anchors + 1, --watch->n_anchors * sizeof(watch->anchors[0]));
    watch->anchors[watch->n_anchors++] = *point;
}

static void learn_before(struct hf_watch *watch, const struct hf_point *point)
{
    if (watch->before == NULL || watch->before_open > 0)
        return;
    watch->before[watch->before_at] = *point;
    watch->before_at = (watch->before_at + 1) % watch->rule->before;
    watch->before_n = HF_MIN(watch->before_n + 1, watch->rule->before);
}

static void open_tale(struct hf_tale *tale, const struct hf_point *point, double measured)
{
    *tale = (struct hf_tale){.open = true, .unix_ns = point->unix_ns, .value = point->value, .measured = measured};
}

void hf_watch_learn(struct hf_watch *watch, enum hf_value_kind kind, const struct hf_point *point,
                    enum hf_verdict verdict, double measured, bool with_context)
{
    if (verdict == HF_VERDICT_BEGINS) {
        open_tale(&watch->begins, point, measured);
        watch->before_open = with_context ? watch->before_n : 0;
        watch->after = watch->rule->after;
    } else if (watch->after > 0) {
        watch->after--;
    }
    if (verdict == HF_VERDICT_ENDS)
        open_tale(&watch->ends, point, measured);
    watch->active = verdict == HF_VERDICT_BEGINS || verdict == HF_VERDICT_LASTS;
    if (watch->rule->kind == HF_ANOMALY_ZSCORE)
        learn_level(watch, kind, point);
    if (watch->rule->kind == HF_ANOMALY_RATE)
        learn_anchor(watch, point);
    if (with_context && verdict != HF_VERDICT_BEGINS) /* that one passes itself */
        learn_before(watch, point);
    watch->last = *point;
    watch->seen++;
}

uint64_t hf_watch_missing_at_ns(const struct hf_watch *watch)
{
    if (watch->rule->kind != HF_ANOMALY_ABSENCE || watch->active)
        return HF_NEVER;
    return watch->last.mono_ns + watch->rule->window_ns;
}

bool hf_watch_missing(struct hf_watch *watch, uint64_t now_ns, uint64_t unix_ns)
{
    if (now_ns < hf_watch_missing_at_ns(watch))
        return false;
    struct hf_point point = {.mono_ns = now_ns, .unix_ns = unix_ns, .value = watch->last.value};
    open_tale(&watch->begins, &point, (double)(now_ns - watch->last.mono_ns) / (double)HF_NS_PER_S);
    watch->active = true;
    return true;
}
