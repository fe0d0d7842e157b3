/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/pipeline/boundary.h - decides through which sinks an event may leave, and audits refused events.
 *
 * An event may have a compliance boundary. An event with a boundary may go only to sinks with the same boundary; if
 * there is no such sink, the pipeline refuses the event and stores it nowhere. An event without a boundary may go to
 * any sink. Among the sinks to which an event may go, a sink takes the event if its `select` matches the event.
 *
 * Pure; times are arguments. */
#pragma once

#include "telemetry/event/event.h"

enum hf_route {
    HF_ROUTE_SOME, /* at least one sink takes the event */
    /* the event may go to at least one sink, but the `select` of none of these sinks matches the event; drop the
     * event */
    HF_ROUTE_NONE,
    HF_ROUTE_REFUSED, /* the event has a boundary, and no sink has the same boundary; refuse the event */
};

/* Sets bit i of *ret_sinks if sinks[i] takes the event. n is at most HF_TELEMETRY_MAX_SINKS. If there are no sinks (n
 * is 0), an event without a boundary gets HF_ROUTE_NONE. */
enum hf_route hf_boundary_route(const struct hf_event *event, const struct hf_telemetry_sink *sinks, size_t n,
                                uint32_t *ret_sinks);

/* The audit reports refusals without the data of the refused events. For each pair of boundary and source, it reports
 * the first refusal at once, and the number of later refusals at most once a minute. */
enum { HF_BOUNDARY_REFUSALS = 16, HF_BOUNDARY_NAME = 64, HF_BOUNDARY_SOURCE = 128 };

struct hf_boundary_refusal {
    char boundary[HF_BOUNDARY_NAME];
    char source[HF_BOUNDARY_SOURCE]; /* source of the refused events, truncated */
    uint64_t refused;                /* number of refused events that are not reported yet */
    uint64_t next_ns;                /* monotonic time before which no further report on this pair is due */
    char count[48];                  /* `refused` as text, for an attribute of the report */
};

struct hf_boundary_audit {
    /* one entry for each pair of boundary and source; the last entry counts the events of all pairs without an entry */
    struct hf_boundary_refusal refusals[HF_BOUNDARY_REFUSALS];
    size_t n;
    uint64_t refused; /* number of refused events in total */
};

/* Counts a refused event. If a report is due, sets *ret_event to the report, a finding of class AGENT and severity
 * warning, and returns true. The caller must then emit the report, because the audit counts it as reported. The report
 * borrows from `audit` until the next call. */
bool hf_boundary_refused(struct hf_boundary_audit *audit, const struct hf_event *event, uint64_t now_ns,
                         uint64_t unix_ns, struct hf_event *ret_event);
/* If a report is due, sets *ret_event to this report and returns true; the caller must then emit the report, which
 * borrows from `audit` until the next call. Returns false if no report is due. Call this function again until it
 * returns false. */
bool hf_boundary_pending(struct hf_boundary_audit *audit, uint64_t now_ns, uint64_t unix_ns,
                         struct hf_event *ret_event);
/* Returns the monotonic time at which the next report is due, or HF_NEVER if none is pending. */
uint64_t hf_boundary_wait_until_ns(const struct hf_boundary_audit *audit);
