/* SPDX-License-Identifier: Apache-2.0 */
/* Decides which sinks get an event, and reports refusals. An event with a compliance boundary goes only to sinks with
 * the same boundary; without such a sink it is refused and stored nowhere. Pure. */
#pragma once

#include "telemetry/event/event.h"

enum hf_route {
    HF_ROUTE_SOME,
    HF_ROUTE_NONE, /* no `select` matches: drop the event */
    HF_ROUTE_REFUSED,
};

/* Sets bit i of *ret_sinks if sinks[i] gets the event; n <= HF_TELEMETRY_MAX_SINKS. */
enum hf_route hf_boundary_route(const struct hf_event *event, const struct hf_telemetry_sink *sinks, size_t n,
                                uint32_t *ret_sinks);

/* Limits for reports of refusals: the first one of a boundary and source comes at once, later ones are counted and
 * reported at most once a minute. */
enum { HF_BOUNDARY_REFUSALS = 16, HF_BOUNDARY_NAME = 64, HF_BOUNDARY_SOURCE = 128 };

struct hf_boundary_refusal {
    char boundary[HF_BOUNDARY_NAME];
    char source[HF_BOUNDARY_SOURCE];
    uint64_t refused; /* not reported yet */
    uint64_t next_ns;
    char count[48];
};

struct hf_boundary_audit {
    /* the last entry counts all other boundaries and sources */
    struct hf_boundary_refusal refusals[HF_BOUNDARY_REFUSALS];
    size_t n;
    uint64_t refused;
};

/* Counts a refusal. True: emit the report *ret_event now; it borrows until the next call. */
bool hf_boundary_refused(struct hf_boundary_audit *audit, const struct hf_event *event, uint64_t now_ns,
                         uint64_t unix_ns, struct hf_event *ret_event);
/* Returns a due report in *ret_event; call it until false. */
bool hf_boundary_pending(struct hf_boundary_audit *audit, uint64_t now_ns, uint64_t unix_ns,
                         struct hf_event *ret_event);
uint64_t hf_boundary_wait_until_ns(const struct hf_boundary_audit *audit);
