/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/outlet.h - one sink and its durable queue. The caller appends lines, and the outlet delivers these
 * lines to the sink.
 *
 * The queue has two lanes. The lane `urgent` is for anomalies, findings, and events of severity error and above; the
 * lane `bulk` is for all other events. While world->link is closed, the backlog of the lane `bulk` waits, and only live
 * records of this lane are sent (delivery/fresh.h). Each lane is a spool below <dir>/<sink name>/. A batch is a range
 * of sequences of one lane. The outlet saves the border of a batch before the first attempt to send the batch. So every
 * attempt, even after a restart, sends the same bytes under the same Idempotency-Key, "<node>/<stream>/<first>-<last>".
 * The outlet registers its metrics holdfast_telemetry_* with the label `sink` in world->metrics.
 *
 * The parts of an outlet are in outlet_*.{h,c}; outlet_config.h lists which part calls which.
 *
 * Threads: loop thread only.  Memory: the outlet copies appended lines. Errors: functions return 0 or -errno, and *err
 * names the sink. */
#pragma once

#include "loop/http/http.h"
#include "spool/spool.h"
#include "telemetry/delivery/breaker.h"
#include "telemetry/source/source.h"

enum hf_lane { HF_LANE_URGENT, HF_LANE_BULK, HF_LANES };

struct hf_outlet;

/* Returns the sink's name, or "default" if the policy gives no name, which is allowed if there is only one sink. */
static inline const char *hf_outlet_name(const struct hf_telemetry_sink *sink)
{
    return sink->name != NULL ? sink->name : "default";
}

struct hf_outlet_params {
    const struct hf_telemetry_world *world;
    /* telemetry settings with the buffer, batch and retry settings of all sinks; borrowed */
    const struct hf_telemetry *spec;
    const struct hf_telemetry_sink *sink; /* settings of this sink; borrowed */
    /* Where the device key is: "file:/path" or "env:NAME", or NULL if there is no key. Only sinks with the format
     * `seed` use the key. */
    const char *device_key_ref;
    const char *cloud_endpoint; /* URL to use if the policy gives the sink no url; NULL if there is none */
    /* HTTP client; NULL if the outlet must make its own client with the sink's credentials */
    const struct hf_http_ops *http;
    uint64_t max_bytes;      /* disk space in bytes for both lanes together */
    uint64_t timeout_ns;     /* time limit of a request with a small body (0 means 30 s) */
    bool refuse_unreadable;  /* as in struct hf_spool_store_params, for both lanes */
    void (*room)(void *arg); /* called when an append may succeed again after an append returned -EAGAIN; may be NULL */
    void *arg;
};

/* Makes an outlet and opens its spools. Blocks, so call this function only when the agent starts or changes its
 * settings. Deliveries begin in the event loop's next iteration. */
HF_MUST_USE int hf_outlet_new(const struct hf_outlet_params *params, struct hf_outlet **ret_outlet, struct hf_err *err);
void hf_outlet_free(struct hf_outlet *outlet);
HF_DEFINE_CLEANUP(struct hf_outlet, hf_outlet_free)

/* Frees the outlet like hf_outlet_free(), and calls gone(arg) when no worker uses the outlet's files any more. That
 * call may come before this function returns. Make another outlet with the same name only after gone(arg); otherwise
 * two outlets would write to one folder. */
void hf_outlet_end(struct hf_outlet *outlet, void (*gone)(void *arg), void *arg);

/* Stores one line in the queue. `tag` is the result of hf_event_tag() for the line's event, and `owner` that of
 * hf_shares_owner() (shares.h), for whose share the line counts. Returns 0 if the outlet accepted the
 * line; it then holds the receipt (may be NULL) until the line is durable. -EAGAIN: the queue is full and
 * may drop nothing, too many lines wait for the disk, or *world->writes_paused is true (lane `bulk` only). -E2BIG: the
 * line is longer than HF_EVENT_MAX_TEXT. -ENOMEM: memory ran out. */
HF_MUST_USE int hf_outlet_append(struct hf_outlet *outlet, enum hf_lane lane, uint64_t owner, uint32_t tag,
                                 struct hf_view line, struct hf_receipt *receipt);

/* Returns true if the owner may append a line of n bytes to the lane now, as far as its share goes (shares.h). After
 * false, room() is called when an owner has got room. */
bool hf_outlet_allows(struct hf_outlet *outlet, enum hf_lane lane, uint64_t owner, size_t n);

/* Returns true if the lane has room for a line of n bytes now. Before you append a line to several outlets, call this
 * function for each of them. */
bool hf_outlet_has_room(struct hf_outlet *outlet, enum hf_lane lane, size_t n);

/* Returns true if the spools dropped events to make room and the outlet has not stored a report about these drops yet.
 * From time to time the outlet stores such reports by itself. */
bool hf_outlet_owes_drops(const struct hf_outlet *outlet);
/* Stores the reports about dropped events now, without waiting until they are due. Holds the receipt (may be NULL)
 * until the reports are durable. */
void hf_outlet_report_drops(struct hf_outlet *outlet, struct hf_receipt *receipt);

/* Calls `each` for the newest lines of each lane, including lines that are already delivered. For each lane,
 * hf_spool_recent() reads at most max_records lines: those of the newest segment, and those of the segments before it
 * if the newest one holds only a few. The caller uses these lines to fill its window of ids again after a restart.
 * Blocks, so call this function only right after hf_outlet_new(). */
HF_MUST_USE int hf_outlet_recent(struct hf_outlet *outlet, size_t max_records,
                                 void (*each)(void *arg, struct hf_view line), void *arg);

/* Makes the outlet read world->link again, and start or stop sending its backlog accordingly. Call this function when
 * link->closed has changed. */
void hf_outlet_link_changed(const struct hf_outlet *outlet);

struct hf_outlet_state {
    struct hf_spool_state lanes[HF_LANES];
    uint64_t oldest_unix_ns;        /* time of the oldest event that waits for delivery (0 means that no event waits) */
    uint64_t last_delivery_unix_ns; /* time of the last delivery by this process (0 means none yet) */
    /* counts since hf_outlet_new(): delivered events, deferred batches, records moved to the dead letters, requests,
     * and failures */
    uint64_t delivered, deferred, dead_lettered, attempts, failures;
    enum hf_breaker breaker;
    unsigned concurrency; /* number of requests that may be in flight at the same time */
    /* reason why the backlog waits for the link, such as "LinkWindowClosed"; NULL if no backlog waits for the link */
    const char *waiting_for;
    /* cause of the last failure to deliver, or what the sink said against events that it took in the last delivery; ""
     * if there is none */
    char trouble[192];
};
struct hf_outlet_state hf_outlet_state(const struct hf_outlet *outlet);

/* Writes scheme, host and port of the sink's URL, without credentials, to text[n], or "" if the sink has no URL.
 * Returns `text`. */
const char *hf_outlet_origin(const struct hf_outlet *outlet, char *text, size_t n);
