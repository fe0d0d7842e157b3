/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/pipeline/findings.h"

#include "base/format.h"

enum { OWN_ATTRIBUTES = 4 }; /* in a finding, beside those of the series */

static void add_attribute(struct hf_event *event, struct hf_view name, struct hf_view value)
{
    if (event->n_attributes < HF_EVENT_MAX_ATTRIBUTES)
        event->attributes[event->n_attributes++] = (struct hf_attribute){name, value};
}

static int describe(const struct hf_anomaly_rule_state *state, bool begins, const struct hf_pending_finding *finding,
                    struct hf_view metric, struct hf_buf *text)
{
    const struct hf_telemetry_anomaly *rule = state->rule;
    char within[HF_DURATION_TEXT];
    int n = (int)metric.n;

    hf_buf_clear(text);
    if (!begins)
        return hf_buf_addf(text, "%.*s is %g: back to normal", n, metric.p, finding->value);
    switch (rule->kind) {
    case HF_ANOMALY_ZSCORE:
        return hf_buf_addf(text, "%.*s is %g, %g standard deviations away from its mean", n, metric.p, finding->value,
                           finding->measured);
    case HF_ANOMALY_RATE:
        return hf_buf_addf(text, "%.*s is %g, which is a change of %g within %s", n, metric.p, finding->value,
                           finding->measured, hf_format_duration(rule->window_ns, within));
    case HF_ANOMALY_ABSENCE:
        return hf_buf_addf(text, "no value of %.*s for %.0f s", n, metric.p, finding->measured);
    case HF_ANOMALY_THRESHOLD:
    default:
        return hf_buf_addf(text, "%.*s is %g, %s than %g", n, metric.p, finding->measured,
                           finding->measured > rule->above ? "more" : "less",
                           finding->measured > rule->above ? rule->above : rule->below);
    }
}

static struct hf_view number(double value, char text[HF_NUMBER_TEXT])
{
    return (struct hf_view){text, hf_number_double(value, text)};
}

int hf_finding_make(const struct hf_anomaly_rule_state *state, const struct hf_series *series, bool begins,
                    struct hf_finding_room *room, struct hf_event *ret_event)
{
    const struct hf_pending_finding *finding = begins ? &state->begins : &state->ends;
    struct hf_event *event = ret_event;
    struct hf_view metric = hf_view_of(state->rule->metric), source = {0};

    if (series != NULL) {
        hf_series_event(series, event);
        metric = event->name;
        source = event->source;
    } else {
        *event = (struct hf_event){0};
    }
    event->kind = HF_EVENT_FINDING;
    event->source_class = HF_SOURCE_AGENT;
    event->source = HF_VIEW("agent:anomaly");
    event->severity = begins ? state->rule->severity : HF_SEVERITY_INFO;
    event->value_kind = HF_VALUE_NONE;
    event->name = hf_view_of(state->rule->name);
    event->unix_ns = finding->unix_ns;
    event->anomaly = true;
    int r = describe(state, begins, finding, metric, &room->text);
    event->body = hf_buf_view(&room->text);
    event->n_attributes = HF_MIN(event->n_attributes, (size_t)HF_EVENT_MAX_ATTRIBUTES - OWN_ATTRIBUTES);
    add_attribute(event, HF_VIEW("metric"), metric);
    if (source.n > 0)
        add_attribute(event, HF_VIEW("metricSource"), source);
    add_attribute(event, HF_VIEW("value"), number(finding->value, room->value));
    add_attribute(event, HF_VIEW("measured"), number(finding->measured, room->measured));
    return r;
}

void hf_finding_context(const struct hf_series *series, const struct hf_sample *point, struct hf_event *ret_event)
{
    hf_series_event(series, ret_event);
    ret_event->unix_ns = point->unix_ns;
    ret_event->value = point->value;
    ret_event->anomaly = true;
    add_attribute(ret_event, HF_VIEW("context"), HF_VIEW("before"));
}
