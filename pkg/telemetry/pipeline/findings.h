/* SPDX-License-Identifier: Apache-2.0 */
/* Anomalies as events. Pure; views into series, rule and *room. */
#pragma once

#include "telemetry/event/number.h"
#include "telemetry/pipeline/series.h"

struct hf_finding_room {
    char value[HF_NUMBER_TEXT], measured[HF_NUMBER_TEXT];
    struct hf_buf text;
};

/* The rule's name and severity (info unless `begins`), the series' boundary and attributes; metric, metricSource,
 * value, measured. `series` NULL: the metric never came. */
HF_MUST_USE int hf_finding_make(const struct hf_anomaly_rule_state *state, const struct hf_series *series, bool begins,
                                struct hf_finding_room *room, struct hf_event *ret_event);
/* A raw value from before; attribute context = "before". */
void hf_finding_context(const struct hf_series *series, const struct hf_sample *point, struct hf_event *ret_event);
