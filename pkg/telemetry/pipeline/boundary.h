/* SPDX-License-Identifier: Apache-2.0 */
/* Which sinks may have an event, and an audit of refusals. With a compliance boundary only sinks with the same one;
 * else it is refused, and stored nowhere. Without: any. Of these, those whose `select` matches. Pure. */
#pragma once

#include "telemetry/event/event.h"

enum hf_route {
    HF_ROUTE_SOME,
    HF_ROUTE_NONE,    /* no `select`: drop it */
    HF_ROUTE_REFUSED, /* no sink has its boundary */
};

/* Bit i: sinks[i] takes the event; n <= HF_TELEMETRY_MAX_SINKS. Without sinks, an event without a boundary gets
 * NONE. */
enum hf_route hf_boundary_route(const struct hf_event *event, const struct hf_telemetry_sink *sinks, size_t n,
                                uint32_t *ret_sinks);

/* No data of the events: the first of a boundary and source at once, later ones counted, once a minute at most. */
enum { HF_BOUNDARY_REFUSALS = 16, HF_BOUNDARY_NAME = 64, HF_BOUNDARY_SOURCE = 128 };

struct hf_boundary_refusal {
    char boundary[HF_BOUNDARY_NAME];
    char source[HF_BOUNDARY_SOURCE]; /* cut */
    uint64_t refused;                /* unreported */
    uint64_t next_ns;                /* monotonic; not before */
    char count[48];
};

struct hf_boundary_audit {
    struct hf_boundary_refusal refusals[HF_BOUNDARY_REFUSALS]; /* last: all other pairs */
    size_t n;
    uint64_t refused;
};

/* True: emit *ret_event (class AGENT, warning); it is reported now. Borrows until the next call. */
bool hf_boundary_refused(struct hf_boundary_audit *audit, const struct hf_event *event, uint64_t now_ns,
                         uint64_t unix_ns, struct hf_event *ret_event);
/* The same for counts that are due; call it until false. */
bool hf_boundary_pending(struct hf_boundary_audit *audit, uint64_t now_ns, uint64_t unix_ns,
                         struct hf_event *ret_event);
/* Monotonic; HF_NEVER: none. */
uint64_t hf_boundary_wait_until_ns(const struct hf_boundary_audit *audit);
