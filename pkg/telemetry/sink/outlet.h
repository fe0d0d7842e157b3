/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/outlet.h - one sink and its durable queue.
 *
 * Two lanes, each a spool below <dir>/<sink name>/: `urgent` for anomalies, findings, and severity error and above;
 * `bulk` for the rest, whose backlog waits while world->link is closed (delivery/fresh.h). A batch is a range of a
 * lane's sequences; its border is saved first, so every attempt sends the same bytes under the same Idempotency-Key
 * "<node>/<stream>/<first>-<last>". Metrics: holdfast_telemetry_*, label `sink`. Parts: outlet_config.h.
 *
 * Threads: loop thread only. */
#pragma once

#include "loop/http/http.h"
#include "spool/spool.h"
#include "telemetry/delivery/breaker.h"
#include "telemetry/source/source.h"

enum hf_lane { HF_LANE_URGENT, HF_LANE_BULK, HF_LANES };

struct hf_outlet;

/* "default" if the policy gives no name (allowed for a single sink). */
static inline const char *hf_outlet_name(const struct hf_telemetry_sink *sink)
{
    return sink->name != NULL ? sink->name : "default";
}

struct hf_outlet_params {
    const struct hf_telemetry_world *world;
    const struct hf_telemetry *spec;      /* settings of all sinks; borrowed */
    const struct hf_telemetry_sink *sink; /* borrowed */
    const char *device_key_ref;           /* "file:/path", "env:NAME" or NULL; only for `seed` */
    const char *cloud_endpoint;           /* URL if the policy gives none; may be NULL */
    const struct hf_http_ops *http;       /* NULL: the outlet makes its own with the sink's credentials */
    uint64_t max_bytes;                   /* for both lanes */
    uint64_t timeout_ns;                  /* for a request with a small body; 0: 30 s */
    bool refuse_unreadable;               /* as in struct hf_spool_store_params, for both lanes */
    void (*room)(void *arg);              /* an append may succeed again after -EAGAIN; may be NULL */
    void *arg;
};

/* Blocks: for start and changed settings. Deliveries begin in the loop's next iteration. */
HF_MUST_USE int hf_outlet_new(const struct hf_outlet_params *params, struct hf_outlet **ret_outlet, struct hf_err *err);
void hf_outlet_free(struct hf_outlet *outlet);
HF_DEFINE_CLEANUP(struct hf_outlet, hf_outlet_free)

/* Calls gone(arg), perhaps before returning, when no worker uses the files any more; only then may another outlet use
 * that name. */
void hf_outlet_end(struct hf_outlet *outlet, void (*gone)(void *arg), void *arg);

/* `tag`: hf_event_tag(); `owner`: hf_shares_owner(). 0: accepted; holds `receipt` (may be NULL) until durable. -EAGAIN:
 * the queue is full and may drop nothing, too many lines wait for the disk, or (bulk) *world->writes_paused. -E2BIG:
 * longer than HF_EVENT_MAX_TEXT. -ENOMEM. */
HF_MUST_USE int hf_outlet_append(struct hf_outlet *outlet, enum hf_lane lane, uint64_t owner, uint32_t tag,
                                 struct hf_view line, struct hf_receipt *receipt);

/* May the owner append n bytes, by its share (shares.h)? After false, room() is called when an owner has room. */
bool hf_outlet_allows(struct hf_outlet *outlet, enum hf_lane lane, uint64_t owner, size_t n);

/* Ask each outlet before appending a line to several. */
bool hf_outlet_has_room(struct hf_outlet *outlet, enum hf_lane lane, size_t n);

/* Are dropped events not yet reported? The outlet also reports them by itself. */
bool hf_outlet_owes_drops(const struct hf_outlet *outlet);
/* Now. Holds `receipt` (may be NULL) until the reports are durable. */
void hf_outlet_report_drops(struct hf_outlet *outlet, struct hf_receipt *receipt);

/* The newest lines of each lane, also delivered ones, at most max_records (hf_spool_recent()). Blocks: only right after
 * hf_outlet_new(). */
HF_MUST_USE int hf_outlet_recent(struct hf_outlet *outlet, size_t max_records,
                                 void (*each)(void *arg, struct hf_view line), void *arg);

/* Call when link->closed has changed. */
void hf_outlet_link_changed(const struct hf_outlet *outlet);

struct hf_outlet_state {
    struct hf_spool_state lanes[HF_LANES];
    uint64_t oldest_unix_ns;                                         /* the oldest waiting event's; 0: none */
    uint64_t last_delivery_unix_ns;                                  /* that this process made; 0: none */
    uint64_t delivered, deferred, dead_lettered, attempts, failures; /* since hf_outlet_new() */
    enum hf_breaker breaker;
    unsigned concurrency;    /* limit of requests in flight */
    const char *waiting_for; /* reason to hold the backlog ("LinkWindowClosed"), or NULL */
    /* Cause of the last failure, or the sink's warning at the last delivery; or "". */
    char trouble[192];
};
struct hf_outlet_state hf_outlet_state(const struct hf_outlet *outlet);

/* Scheme, host and port without credentials, or ""; returns `text`. */
const char *hf_outlet_origin(const struct hf_outlet *outlet, char *text, size_t n);
