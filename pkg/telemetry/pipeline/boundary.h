/* telemetry/pipeline/boundary.h - which sinks an event may leave through, and the audit of refused events.
 *
 * An event may carry a compliance boundary. Data with a boundary goes only to sinks of the same boundary; without
 * such a sink the pipeline refuses the event and keeps it nowhere. Data without a boundary goes to any sink. A
 * sink's `select` then narrows the choice further.
 *
 * Pure: times come in as arguments. */
#pragma once

#include "telemetry/event/event.h"

enum hf_route {
    HF_ROUTE_SOME,    /* at least one sink takes it */
    HF_ROUTE_NONE,    /* it may leave through a sink, but no sink selects it: drop it */
    HF_ROUTE_REFUSED, /* no sink has its boundary: refuse it */
};

/* Sets bit i of *ret_sinks if sinks[i] takes the event; n <= HF_TELEMETRY_MAX_SINKS. If n is 0, returns
 * HF_ROUTE_NONE for data without a boundary. */
enum hf_route hf_boundary_route(const struct hf_event *event, const struct hf_telemetry_sink *sinks, size_t n,
                                uint32_t *ret_sinks);

/* The audit reports refusals without their data: the first one of a boundary and source at once, then their number, at
 * most once a minute for each. */
enum { HF_BOUNDARY_REFUSALS = 16, HF_BOUNDARY_NAME = 64, HF_BOUNDARY_SOURCE = 128 };

struct hf_boundary_refusal {
    char boundary[HF_BOUNDARY_NAME];
    char source[HF_BOUNDARY_SOURCE]; /* truncated */
    uint64_t refused;                /* number of events not reported yet */
    uint64_t next_ns;                /* monotonic time of the next report */
    char count[48];                  /* `refused` as text, for an attribute of the event */
};

struct hf_boundary_audit {
    /* the last entry counts the events that have no entry of their own */
    struct hf_boundary_refusal refusals[HF_BOUNDARY_REFUSALS];
    size_t n;
    uint64_t refused; /* events in total */
};

/* Counts a refused event. True: emit *ret_event now, a finding of class AGENT and severity warning; it borrows from
 * `audit` until the next call and counts as reported. */
bool hf_boundary_refused(struct hf_boundary_audit *audit, const struct hf_event *event, uint64_t now_ns,
                         uint64_t unix_ns, struct hf_event *ret_event);
/* Builds the next report that is due, with the same rules for *ret_event as hf_boundary_refused(); call it until it
 * returns false. */
bool hf_boundary_pending(struct hf_boundary_audit *audit, uint64_t now_ns, uint64_t unix_ns,
                         struct hf_event *ret_event);
/* Monotonic time of the next report, or HF_NEVER. */
uint64_t hf_boundary_wait_until_ns(const struct hf_boundary_audit *audit);
