/* SPDX-License-Identifier: Apache-2.0 */
/* One sink and its durable queue of two lanes, each a spool below <dir>/<sink>/: `urgent` for anomalies, findings, and
 * severity error or above; `bulk` for all else. A batch is a range of a lane's sequences; its border is saved first
 * (not for `seed`), so every attempt sends the same bytes under one Idempotency-Key "<node>/<stream>/<first>-<last>".
 * Parts: outlet.c. */
#pragma once

#include "loop/http/http.h"
#include "spool/spool.h"
#include "telemetry/delivery/breaker.h"
#include "telemetry/source/source.h"

enum hf_lane { HF_LANE_URGENT, HF_LANE_BULK, HF_LANES };

struct hf_outlet;

static inline const char *hf_outlet_name(const struct hf_telemetry_sink *sink)
{
    return sink->name != NULL ? sink->name : "default";
}

struct hf_outlet_params {
    const struct hf_telemetry_env *env;
    const struct hf_telemetry *spec;      /* settings of all sinks; borrowed */
    const struct hf_telemetry_sink *sink; /* borrowed */
    const char *device_key_ref;           /* for `seed`: "file:/path", "env:NAME" or NULL */
    const char *cloud_endpoint;           /* used if the sink has no URL; or NULL */
    const struct hf_http_ops *http;       /* NULL: the outlet's own, with the sink's credentials */
    uint64_t max_bytes;                   /* for both lanes together */
    uint64_t timeout_ns;                  /* for a small body; 0: 30 s */
    bool refuse_unreadable;
    void (*room)(void *arg); /* there is room again after -EAGAIN; may be NULL */
    void *arg;
};

/* Blocks. Delivery begins in the loop's next turn. */
HF_MUST_USE int hf_outlet_new(const struct hf_outlet_params *params, struct hf_outlet **ret_outlet, struct hf_err *err);
void hf_outlet_free(struct hf_outlet *outlet);
HF_DEFINE_CLEANUP(struct hf_outlet, hf_outlet_free)

/* Ends the outlet. Calls gone(arg), maybe before it returns, once another outlet may have the name. */
void hf_outlet_end(struct hf_outlet *outlet, void (*gone)(void *arg), void *arg);

/* Queues a line. `receipt` is held until the line is durable or failed. `tag`: hf_event_tag(); `owner`:
 * hf_shares_owner(). -EAGAIN: no room, or (bulk) *env->writes_paused. -E2BIG: more than HF_EVENT_MAX_TEXT. */
HF_MUST_USE int hf_outlet_append(struct hf_outlet *outlet, enum hf_lane lane, uint64_t owner, uint32_t tag,
                                 struct hf_view line, struct hf_receipt *receipt);

/* Whether the share of `owner` (shares.h) permits n more bytes. After false, room() is called when shares have
 * changed. */
bool hf_outlet_allows(struct hf_outlet *outlet, enum hf_lane lane, uint64_t owner, size_t n);

/* Whether there is room for n bytes. Ask all outlets before a line goes to several. */
bool hf_outlet_has_room(struct hf_outlet *outlet, enum hf_lane lane, size_t n);

bool hf_outlet_owes_drops(const struct hf_outlet *outlet);
/* Reports drops now; otherwise the outlet does so by itself. `receipt` is held until the reports are durable or
 * failed. */
void hf_outlet_report_drops(struct hf_outlet *outlet, struct hf_receipt *receipt);

/* Reads newest records of each lane, at most max_records, also delivered ones. Blocks: only right after
 * hf_outlet_new(). */
HF_MUST_USE int hf_outlet_recent(struct hf_outlet *outlet, size_t max_records,
                                 void (*each)(void *arg, struct hf_view line), void *arg);

void hf_outlet_link_changed(const struct hf_outlet *outlet);

struct hf_outlet_state {
    struct hf_spool_state lanes[HF_LANES];
    uint64_t oldest_unix_ns; /* about the time of the oldest waiting record */
    uint64_t last_delivery_unix_ns;
    uint64_t delivered, deferred, dead_lettered, attempts, failures; /* since hf_outlet_new() */
    enum hf_breaker breaker;
    unsigned concurrency;
    const char *waiting_for; /* why backlog waits, such as "LinkWindowClosed"; or NULL */
    /* last failure, or the last delivery's warning, or "" */
    char trouble[192];
};
struct hf_outlet_state hf_outlet_state(const struct hf_outlet *outlet);

/* Writes scheme, host and port of the sink. */
const char *hf_outlet_origin(const struct hf_outlet *outlet, char *text, size_t n);
