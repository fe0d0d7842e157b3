/* SPDX-License-Identifier: Apache-2.0 */
/* Which sinks may have an event, and reports of refusals. With a compliance boundary: sinks with the same one, or it is
 * refused, and stored nowhere. Without: any. Of these, those whose `select` matches. Pure. */
#pragma once

#include "telemetry/event/event.h"

enum hf_route {
    HF_ROUTE_SOME,
    HF_ROUTE_NONE,    /* by `select`: drop it */
    HF_ROUTE_REFUSED, /* no sink has its boundary */
};

/* Bit i: sinks[i] takes it; n <= HF_TELEMETRY_MAX_SINKS. No sinks and no boundary: NONE. */
enum hf_route hf_boundary_route(const struct hf_event *event, const struct hf_telemetry_sink *sinks, size_t n,
                                uint32_t *ret_sinks);

/* Without data of events: the first of a boundary and source at once, later ones counted, once a minute at most. */
enum { HF_BOUNDARY_REFUSALS = 16, HF_BOUNDARY_NAME = 64, HF_BOUNDARY_SOURCE = 128 };

struct hf_boundary_refusal {
    char boundary[HF_BOUNDARY_NAME];
    char source[HF_BOUNDARY_SOURCE]; /* cut */
    uint64_t refused;                /* unreported */
    uint64_t next_ns;
    char count[48];
};

struct hf_boundary_audit {
    struct hf_boundary_refusal refusals[HF_BOUNDARY_REFUSALS]; /* last: other pairs */
    size_t n;
    uint64_t refused;
};

/* True: emit *ret_event (class AGENT, warning) now. Borrows until the next call. */
bool hf_boundary_refused(struct hf_boundary_audit *audit, const struct hf_event *event, uint64_t now_ns,
                         uint64_t unix_ns, struct hf_event *ret_event);
/* Due counts; call it until false. */
bool hf_boundary_pending(struct hf_boundary_audit *audit, uint64_t now_ns, uint64_t unix_ns,
                         struct hf_event *ret_event);
/* Monotonic; HF_NEVER: none. */
uint64_t hf_boundary_wait_until_ns(const struct hf_boundary_audit *audit);
