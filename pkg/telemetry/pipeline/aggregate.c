/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/pipeline/aggregate.h"

#include <errno.h>

#include "telemetry/event/number.h"

void hf_aggregate_done(struct hf_aggregate *aggregate)
{
    free(hf_steal(aggregate->histogram));
}

static int observe(struct hf_aggregate *aggregate, double value)
{
    if (aggregate->histogram == NULL) {
        aggregate->histogram = malloc(sizeof(*aggregate->histogram));
        if (aggregate->histogram == NULL)
            return -ENOMEM;
        hf_histogram_clear(aggregate->histogram);
    }
    hf_histogram_add(aggregate->histogram, value);
    return 0;
}

int hf_aggregate_add(struct hf_aggregate *aggregate, enum hf_value_kind kind, double value)
{
    if (kind == HF_VALUE_HISTOGRAM && observe(aggregate, value) < 0)
        return -ENOMEM;
    if (kind == HF_VALUE_COUNTER && aggregate->has_last) {
        bool reset = value < aggregate->last;
        aggregate->resets += reset;
        aggregate->added += reset ? value : value - aggregate->last;
    }
    aggregate->min = aggregate->count == 0 ? value : HF_MIN(aggregate->min, value);
    aggregate->max = aggregate->count == 0 ? value : HF_MAX(aggregate->max, value);
    aggregate->sum += value;
    aggregate->last = value;
    aggregate->has_last = true;
    aggregate->count++;
    return 0;
}

static int counter_text(const struct hf_aggregate *aggregate, struct hf_buf *text)
{
    int r = hf_number_add(text, "{\"count\":", (double)aggregate->count);

    if (r == 0)
        r = hf_number_add(text, ",\"resets\":", (double)aggregate->resets);
    if (r == 0)
        r = hf_number_add(text, ",\"last\":", aggregate->last);
    return r == 0 ? hf_buf_add_str(text, "}") : r;
}

static int gauge_text(const struct hf_aggregate *aggregate, struct hf_buf *text)
{
    int r = hf_number_add(text, "{\"count\":", (double)aggregate->count);

    if (r == 0)
        r = hf_number_add(text, ",\"sum\":", aggregate->sum);
    if (r == 0)
        r = hf_number_add(text, ",\"min\":", aggregate->min);
    if (r == 0)
        r = hf_number_add(text, ",\"max\":", aggregate->max);
    if (r == 0)
        r = hf_number_add(text, ",\"mean\":", aggregate->sum / (double)HF_MAX(aggregate->count, 1u));
    return r == 0 ? hf_buf_add_str(text, "}") : r;
}

int hf_aggregate_fill(const struct hf_aggregate *aggregate, struct hf_event *event, struct hf_buf *text)
{
    int r;

    hf_buf_clear(text);
    if (event->value_kind == HF_VALUE_COUNTER) {
        event->value = aggregate->added;
        r = counter_text(aggregate, text);
    } else if (event->value_kind == HF_VALUE_HISTOGRAM && aggregate->histogram != NULL) {
        event->value = aggregate->sum;
        r = hf_histogram_format(aggregate->histogram, text);
    } else {
        event->value = aggregate->last;
        r = gauge_text(aggregate, text);
    }
    event->histogram = hf_buf_view(text);
    return r;
}

void hf_aggregate_next(struct hf_aggregate *aggregate)
{
    aggregate->count = aggregate->resets = 0;
    aggregate->sum = aggregate->min = aggregate->max = aggregate->added = 0;
    if (aggregate->histogram != NULL)
        hf_histogram_clear(aggregate->histogram);
}
