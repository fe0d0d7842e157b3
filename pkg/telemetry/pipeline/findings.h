/* SPDX-License-Identifier: Apache-2.0 */
/* Makes events about anomalies. The events borrow from series, rule and *room. Pure. */
#pragma once

#include "telemetry/event/number.h"
#include "telemetry/pipeline/series.h"

struct hf_finding_room {
    char value[HF_NUMBER_TEXT], measured[HF_NUMBER_TEXT];
    struct hf_buf text;
};

/* Makes the finding that an anomaly begins or ends. `series` is NULL if the metric never came. */
HF_MUST_USE int hf_finding_make(const struct hf_anomaly_rule_state *state, const struct hf_series *series, bool begins,
                                struct hf_finding_room *room, struct hf_event *ret_event);
/* Makes an event of a raw value from before the anomaly. */
void hf_finding_context(const struct hf_series *series, const struct hf_sample *point, struct hf_event *ret_event);
