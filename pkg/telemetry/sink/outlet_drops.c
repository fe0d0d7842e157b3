/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/sink/outlet_drops.h"

#include <stdio.h>

static enum hf_source_class class_of(uint32_t tag)
{
    return (enum hf_source_class)(tag >> 16);
}

static enum hf_severity severity_of(uint32_t tag)
{
    return (enum hf_severity)(tag & 0xffff);
}

static void count(const struct hf_outlet_config *config, const struct hf_outlet_metrics *metrics,
                  const struct hf_spool_dropped *dropped)
{
    if (dropped->tag == HF_SPOOL_TAG_LOST) {
        hf_metric_add(metrics->lost, dropped->records);
        hf_log(config->env.log, HF_LOG_ERROR, "telemetry.events_lost", HF_S("sink", config->name),
               HF_D("records", (int64_t)dropped->records), HF_S("dir", config->dir));
        return;
    }
    hf_metric_add(hf_metric_with(metrics->dropped, HF_LABELS(config->name, hf_event_class_name(class_of(dropped->tag)),
                                                             hf_severity_name(severity_of(dropped->tag)))),
                  dropped->records);
}

void hf_outlet_drops_add(struct hf_outlet_drops *drops, const struct hf_outlet_config *config,
                         const struct hf_outlet_metrics *metrics, const struct hf_spool_dropped *dropped)
{
    for (; dropped->records > 0; dropped++) {
        hf_spool_dropped_add(drops->entries, dropped->tag, dropped->records);
        count(config, metrics, dropped);
    }
    if (drops->due_ns == HF_NEVER)
        drops->due_ns = hf_mono_ns(config->env.clock) + HF_OUTLET_DROPS_WAIT_NS;
}

struct hf_spool_dropped *hf_outlet_drops_last(struct hf_outlet_drops *drops)
{
    struct hf_spool_dropped *last = NULL;

    for (size_t i = 0; i < HF_LEN(drops->entries) && drops->entries[i].records > 0; i++)
        last = &drops->entries[i];
    return last;
}

int hf_outlet_drops_format(const struct hf_outlet_config *config, const struct hf_spool_dropped *dropped,
                           struct hf_buf *line)
{
    uint64_t unix_ns = hf_unix_ns(config->env.clock);
    char records[24], id[64];

    (void)snprintf(records, sizeof(records), "%llu", (unsigned long long)dropped->records);
    (void)snprintf(id, sizeof(id), "dropped-%08x-%016llx%04x", (unsigned)dropped->tag, (unsigned long long)unix_ns,
                   (unsigned)(config->env.rand->u64(config->env.rand->ctx) & 0xffff));
    bool lost = dropped->tag == HF_SPOOL_TAG_LOST;
    struct hf_event event = {
        .kind = HF_EVENT_FINDING,
        .source_class = HF_SOURCE_AGENT,
        .severity = HF_SEVERITY_WARNING,
        .unix_ns = unix_ns,
        .id = hf_view_of(id),
        .source = HF_VIEW("agent"),
        .name = lost ? HF_VIEW("holdfast_telemetry_lost_events") : HF_VIEW("holdfast_telemetry_dropped_events"),
        .body = lost ? HF_VIEW("the disk lost events") : HF_VIEW("dropped events to make room for newer ones"),
        .attributes = {{HF_VIEW("records"), hf_view_of(records)},
                       {HF_VIEW("sink"), hf_view_of(config->name)},
                       {HF_VIEW("source"), hf_view_of(hf_event_class_name(class_of(dropped->tag)))},
                       {HF_VIEW("severity"), hf_view_of(hf_severity_name(severity_of(dropped->tag)))}},
        .n_attributes = lost ? 2 : 4}; /* nobody can read what the lost ones were */
    return hf_event_format(&event, config->node, line);
}
