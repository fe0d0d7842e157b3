/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/pipeline/boundary.h - decides which sinks may receive an event, and audits refusals.
 *
 * An event with a compliance boundary may leave only through sinks with the same boundary; without such a sink it is
 * refused and stored nowhere. Other events may go to any sink. The sinks among these whose `select` matches take it.
 * Pure. */
#pragma once

#include "telemetry/event/event.h"

enum hf_route {
    HF_ROUTE_SOME,
    HF_ROUTE_NONE,    /* no `select` matches: drop it */
    HF_ROUTE_REFUSED, /* no sink has its boundary */
};

/* Bit i: sinks[i] takes it; n <= HF_TELEMETRY_MAX_SINKS. Without sinks, an event without a boundary gets NONE. */
enum hf_route hf_boundary_route(const struct hf_event *event, const struct hf_telemetry_sink *sinks, size_t n,
                                uint32_t *ret_sinks);

/* Reports have no data of the refused events: the first one of a boundary and source at once, later ones as a count at
 * most once a minute. */
enum { HF_BOUNDARY_REFUSALS = 16, HF_BOUNDARY_NAME = 64, HF_BOUNDARY_SOURCE = 128 };

struct hf_boundary_refusal {
    char boundary[HF_BOUNDARY_NAME];
    char source[HF_BOUNDARY_SOURCE]; /* truncated */
    uint64_t refused;                /* not yet reported */
    uint64_t next_ns;                /* no report before (monotonic) */
    char count[48];
};

struct hf_boundary_audit {
    struct hf_boundary_refusal refusals[HF_BOUNDARY_REFUSALS]; /* the last one for all pairs without an entry */
    size_t n;
    uint64_t refused;
};

/* True: a report is due in *ret_event (class AGENT, warning), which the caller must emit: it is treated as reported.
 * Borrows from `audit` until the next call. */
bool hf_boundary_refused(struct hf_boundary_audit *audit, const struct hf_event *event, uint64_t now_ns,
                         uint64_t unix_ns, struct hf_event *ret_event);
/* The same for counts that are due; call until false. */
bool hf_boundary_pending(struct hf_boundary_audit *audit, uint64_t now_ns, uint64_t unix_ns,
                         struct hf_event *ret_event);
/* Monotonic; HF_NEVER: none. */
uint64_t hf_boundary_wait_until_ns(const struct hf_boundary_audit *audit);
