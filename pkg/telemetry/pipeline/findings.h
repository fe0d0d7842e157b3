/* telemetry/pipeline/findings.h - the events that tell of an anomaly. Pure; all views borrow from the series, the rule and *room. */
#pragma once

#include "telemetry/event/number.h"
#include "telemetry/pipeline/series.h"

struct hf_finding_room {
    char value[HF_NUMBER_TEXT], measured[HF_NUMBER_TEXT];
    struct hf_buf text;
};

/* That it began (`begins`) or ended, as a finding named after the rule: severity of the rule (info when it ended), anomaly, boundary and
 * attributes of the series, and attributes metric, metricSource, value, measured. `series` NULL: no such metric was ever seen. */
HF_MUST_USE int hf_finding_make(const struct hf_anomaly_rule_state *state, const struct hf_series *series, bool begins,
                                struct hf_finding_room *room, struct hf_event *ret_event);
/* One of the values before it, raw, with the attribute context: before. */
void hf_finding_context(const struct hf_series *series, const struct hf_sample *point, struct hf_event *ret_event);
