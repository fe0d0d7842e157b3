/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/pipeline/boundary.h"

#include "telemetry/event/match.h"
#include "telemetry/event/number.h"

#define REPORT_EVERY_NS (60 * HF_NS_PER_S)

enum hf_route hf_boundary_route(const struct hf_event *event, const struct hf_telemetry_sink *sinks, size_t n,
                                uint32_t *ret_sinks)
{
    bool allowed = event->boundary.n == 0;
    uint32_t taking = 0;

    for (size_t i = 0; i < n; i++) {
        if (event->boundary.n > 0 && (sinks[i].boundary == NULL || !hf_view_eq(event->boundary, sinks[i].boundary)))
            continue;
        allowed = true;
        if (hf_match(&sinks[i].select, event))
            taking |= 1u << i;
    }
    *ret_sinks = taking;
    return !allowed ? HF_ROUTE_REFUSED : taking != 0 ? HF_ROUTE_SOME : HF_ROUTE_NONE;
}

static bool has_text(const char *text, size_t room, struct hf_view view)
{
    size_t n = HF_MIN(view.n, room - 1);

    return strlen(text) == n && (n == 0 || memcmp(text, view.p, n) == 0);
}

static void set_text(char *text, size_t room, struct hf_view view)
{
    size_t n = HF_MIN(view.n, room - 1);

    if (n > 0)
        memcpy(text, view.p, n);
    text[n] = '\0';
}

static struct hf_boundary_refusal *refusal_of(struct hf_boundary_audit *audit, const struct hf_event *event)
{
    for (size_t i = 0; i < audit->n; i++)
        if (has_text(audit->refusals[i].boundary, HF_BOUNDARY_NAME, event->boundary) &&
            has_text(audit->refusals[i].source, HF_BOUNDARY_SOURCE, event->source))
            return &audit->refusals[i];
    bool others = audit->n >= HF_BOUNDARY_REFUSALS - 1;
    struct hf_boundary_refusal *refusal = &audit->refusals[others ? HF_BOUNDARY_REFUSALS - 1 : audit->n];
    if (others && audit->n == HF_BOUNDARY_REFUSALS)
        return refusal;
    audit->n++;
    set_text(refusal->boundary, HF_BOUNDARY_NAME, others ? HF_VIEW("*") : event->boundary);
    set_text(refusal->source, HF_BOUNDARY_SOURCE, others ? HF_VIEW("*") : event->source);
    return refusal;
}

static void report(struct hf_boundary_refusal *refusal, uint64_t now_ns, uint64_t unix_ns, struct hf_event *event)
{
    refusal->count[hf_number_u64(refusal->refused, refusal->count)] = '\0';
    *event = (struct hf_event){
        .kind = HF_EVENT_FINDING,
        .source_class = HF_SOURCE_AGENT,
        .severity = HF_SEVERITY_WARNING,
        .unix_ns = unix_ns,
        .source = HF_VIEW("agent:boundary"),
        .name = HF_VIEW("boundary-refused"),
        .body = HF_VIEW("refused and discarded data of a compliance boundary that no sink has"),
        .attributes = {{HF_VIEW("refusedBoundary"), hf_view_of(refusal->boundary)},
                       {HF_VIEW("refusedSource"), hf_view_of(refusal->source)},
                       {HF_VIEW("count"), hf_view_of(refusal->count)}},
        .n_attributes = 3,
    };
    refusal->refused = 0;
    refusal->next_ns = now_ns + REPORT_EVERY_NS;
}

bool hf_boundary_refused(struct hf_boundary_audit *audit, const struct hf_event *event, uint64_t now_ns,
                         uint64_t unix_ns, struct hf_event *ret_event)
{
    struct hf_boundary_refusal *refusal = refusal_of(audit, event);

    audit->refused++;
    refusal->refused++;
    if (now_ns < refusal->next_ns)
        return false;
    report(refusal, now_ns, unix_ns, ret_event);
    return true;
}

bool hf_boundary_pending(struct hf_boundary_audit *audit, uint64_t now_ns, uint64_t unix_ns, struct hf_event *ret_event)
{
    for (size_t i = 0; i < audit->n; i++) {
        if (audit->refusals[i].refused == 0 || now_ns < audit->refusals[i].next_ns)
            continue;
        report(&audit->refusals[i], now_ns, unix_ns, ret_event);
        return true;
    }
    return false;
}

uint64_t hf_boundary_wait_until_ns(const struct hf_boundary_audit *audit)
{
    uint64_t until = HF_NEVER;

    for (size_t i = 0; i < audit->n; i++)
        if (audit->refusals[i].refused > 0)
            until = HF_MIN(until, audit->refusals[i].next_ns);
    return until;
}
