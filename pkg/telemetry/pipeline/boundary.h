/* telemetry/pipeline/boundary.h - which sinks an event may leave through, and how refusals are told. Pure.
 *
 * An event may be marked with a compliance boundary. Marked data goes to sinks of the same boundary only, and is written nowhere when
 * there is none; unmarked data goes anywhere. A sink's `select` narrows further, after that. */
#pragma once

#include "telemetry/event/event.h"

enum hf_route {
    HF_ROUTE_SOME,    /* there are sinks for it */
    HF_ROUTE_NONE,    /* it may leave, but no sink selects it: not kept */
    HF_ROUTE_REFUSED, /* no sink of its boundary */
};

/* Bit i of *ret_sinks: sinks[i] takes it (n <= HF_TELEMETRY_MAX_SINKS). No sinks at all: NONE for unmarked data. */
enum hf_route hf_boundary_route(const struct hf_event *event, const struct hf_telemetry_sink *sinks, size_t n,
                                uint32_t *ret_sinks);

/* Refusals are told without the data: the first of a boundary and source at once, then how many, at most once a minute for each. */
enum { HF_BOUNDARY_REFUSALS = 16, HF_BOUNDARY_NAME = 64, HF_BOUNDARY_SOURCE = 128 };

struct hf_boundary_refusal {
    char boundary[HF_BOUNDARY_NAME];
    char source[HF_BOUNDARY_SOURCE]; /* cut */
    uint64_t refused;                /* not told yet */
    uint64_t next_ns;                /* monotonic: not told again before */
    char count[48];                  /* as text, for the event */
};

struct hf_boundary_audit {
    struct hf_boundary_refusal refusals[HF_BOUNDARY_REFUSALS]; /* the last one stands for all that do not fit */
    size_t n;
    uint64_t refused; /* ever */
};

/* Count a refused event. True: tell *ret_event now (a finding of class AGENT, severity warning; it borrows from `audit` until the next
 * call, and counts as told). */
bool hf_boundary_refused(struct hf_boundary_audit *audit, const struct hf_event *event, uint64_t now_ns,
                         uint64_t unix_ns, struct hf_event *ret_event);
/* What has not been told and may be now: call until false. */
bool hf_boundary_pending(struct hf_boundary_audit *audit, uint64_t now_ns, uint64_t unix_ns,
                         struct hf_event *ret_event);
/* Monotonic time of the next tale; HF_NEVER. */
uint64_t hf_boundary_wait_until_ns(const struct hf_boundary_audit *audit);
