/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/pipeline/findings.h - builds the events that report an anomaly.
 *
 * Pure. The views of a built event point into the series, the rule and *room. */
#pragma once

#include "telemetry/event/number.h"
#include "telemetry/pipeline/series.h"

/* Memory for the texts of one finding. */
struct hf_finding_room {
    char value[HF_NUMBER_TEXT], measured[HF_NUMBER_TEXT];
    struct hf_buf text;
};

/* Builds the finding that an anomaly began (if `begins` is true) or ended. The finding has the rule's name, the rule's
 * severity (or info, if the anomaly ended), the boundary and attributes of the series, and the attributes metric,
 * metricSource, value and measured. `series` is NULL if the rule reports the absence of a metric that never appeared.
 * Returns 0 or -errno. */
HF_MUST_USE int hf_finding_make(const struct hf_anomaly_rule_state *state, const struct hf_series *series, bool begins,
                                struct hf_finding_room *room, struct hf_event *ret_event);
/* Builds the event for one raw value that came before an anomaly. The event has the attribute `context` with the value
 * "before". */
void hf_finding_context(const struct hf_series *series, const struct hf_sample *point, struct hf_event *ret_event);
