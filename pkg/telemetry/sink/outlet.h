/* SPDX-License-Identifier: Apache-2.0 */
/* One sink and its durable queue: two lanes, a spool each below <dir>/<sink>/: `urgent` for anomalies, findings, error
 * and above; `bulk` for the rest, whose backlog waits while env->link is closed (delivery/fresh.h). A batch is a
 * range of a lane's sequences; its border is saved first, so every attempt sends the same bytes under one
 * Idempotency-Key "<node>/<stream>/<first>-<last>". Metrics: holdfast_telemetry_*, label `sink`. Parts:
 * outlet.c. */
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
    const struct hf_telemetry *spec;      /* all sinks'; borrowed */
    const struct hf_telemetry_sink *sink; /* borrowed */
    const char *device_key_ref;           /* "file:/path", "env:NAME" or NULL, for `seed` */
    const char *cloud_endpoint;           /* if the policy has none; or NULL */
    const struct hf_http_ops *http;       /* NULL: its own, with the sink's credentials */
    uint64_t max_bytes;                   /* of both lanes */
    uint64_t timeout_ns;                  /* of a small body; 0: 30 s */
    bool refuse_unreadable;               /* struct hf_spool_store_params */
    void (*room)(void *arg);              /* after -EAGAIN; may be NULL */
    void *arg;
};

/* Blocks. Delivers from the loop's next turn. */
HF_MUST_USE int hf_outlet_new(const struct hf_outlet_params *params, struct hf_outlet **ret_outlet, struct hf_err *err);
void hf_outlet_free(struct hf_outlet *outlet);
HF_DEFINE_CLEANUP(struct hf_outlet, hf_outlet_free)

/* gone(arg), maybe before the return: no worker uses the files, another outlet may have the name. */
void hf_outlet_end(struct hf_outlet *outlet, void (*gone)(void *arg), void *arg);

/* `tag`: hf_event_tag(); `owner`: hf_shares_owner(). Holds `receipt` (may be NULL) until durable. -EAGAIN: full and may
 * not drop, too many lines before the disk, or (bulk) *env->writes_paused. -E2BIG: HF_EVENT_MAX_TEXT. */
HF_MUST_USE int hf_outlet_append(struct hf_outlet *outlet, enum hf_lane lane, uint64_t owner, uint32_t tag,
                                 struct hf_view line, struct hf_receipt *receipt);

/* May `owner` store n bytes, by its share (shares.h)? After false room() comes when shares have changed. */
bool hf_outlet_allows(struct hf_outlet *outlet, enum hf_lane lane, uint64_t owner, size_t n);

/* Ask all before a line goes to several. */
bool hf_outlet_has_room(struct hf_outlet *outlet, enum hf_lane lane, size_t n);

/* Drops to report, which the outlet also does by itself. */
bool hf_outlet_owes_drops(const struct hf_outlet *outlet);
/* Now. Holds `receipt` (may be NULL) until durable. */
void hf_outlet_report_drops(struct hf_outlet *outlet, struct hf_receipt *receipt);

/* The newest max_records of each lane, also delivered ones (hf_spool_recent()). Blocks: right after hf_outlet_new(). */
HF_MUST_USE int hf_outlet_recent(struct hf_outlet *outlet, size_t max_records,
                                 void (*each)(void *arg, struct hf_view line), void *arg);

void hf_outlet_link_changed(const struct hf_outlet *outlet);

struct hf_outlet_state {
    struct hf_spool_state lanes[HF_LANES];
    uint64_t oldest_unix_ns;                                         /* waiting */
    uint64_t last_delivery_unix_ns;                                  /* by this process */
    uint64_t delivered, deferred, dead_lettered, attempts, failures; /* since hf_outlet_new() */
    enum hf_breaker breaker;
    unsigned concurrency;
    const char *waiting_for; /* "LinkWindowClosed", or NULL */
    /* Last failure, or the last delivery's warning; or "". */
    char trouble[192];
};
struct hf_outlet_state hf_outlet_state(const struct hf_outlet *outlet);

/* Scheme, host, port; or "". */
const char *hf_outlet_origin(const struct hf_outlet *outlet, char *text, size_t n);
