/* telemetry/sink/outlet.h - one sink and its durable queue. The caller appends lines; the outlet delivers them on its
 * own.
 *
 * The queue has two lanes. The lane `urgent` is for anomalies, findings, and events of severity error and above; the
 * lane `bulk` is for all other events. Each lane is a spool below <dir>/<sink name>/. A batch is a range of sequences
 * of one lane. The outlet saves a batch's borders before the first attempt to send it. So every attempt, even after a
 * restart, sends equal bytes under one Idempotency-Key, "<node>/<stream>/<first>-<last>". The outlet registers its
 * metrics holdfast_telemetry_* with the label `sink` in world->metrics.
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

/* Returns the sink's name, or "default" if the policy gives no name, which is possible for an only sink. */
static inline const char *hf_outlet_name(const struct hf_telemetry_sink *sink)
{
    return sink->name != NULL ? sink->name : "default";
}

struct hf_outlet_params {
    const struct hf_telemetry_world *world;
    const struct hf_telemetry *spec;      /* buffer, batch and retry settings; borrowed */
    const struct hf_telemetry_sink *sink; /* borrowed */
    /* where the device key for sink format `seed` is: "file:/path" or "env:NAME"; NULL: none */
    const char *device_key_ref;
    const char *cloud_endpoint;     /* URL to use if the policy gives the sink no url; NULL: none */
    const struct hf_http_ops *http; /* HTTP client; NULL: the outlet makes a client with the sink's credentials */
    uint64_t max_bytes;             /* disk space of both lanes together */
    uint64_t timeout_ns;            /* time limit of a request with a small body (0 means 30 s) */
    void (*room)(void *arg);        /* called when there is room again after an append returned -EAGAIN; may be NULL */
    void *arg;
};

/* Opens the spools. Blocks, so call it only when the agent starts or changes its settings. Deliveries begin in the
 * loop's next turn. */
HF_MUST_USE int hf_outlet_new(const struct hf_outlet_params *params, struct hf_outlet **ret_outlet, struct hf_err *err);
void hf_outlet_free(struct hf_outlet *outlet);
HF_DEFINE_CLEANUP(struct hf_outlet, hf_outlet_free)

/* Frees the outlet like hf_outlet_free(). Calls gone(arg) when no worker uses the outlet's files any more, which may be
 * before this function returns. Make another outlet of this name only after that call; otherwise two outlets would
 * write to one folder. */
void hf_outlet_end(struct hf_outlet *outlet, void (*gone)(void *arg), void *arg);

/* Stores one line. 0: the outlet accepted the line and holds the receipt (may be NULL) until the line is durable.
 * -EAGAIN: the queue is full (Block), or too many lines wait for the disk. -E2BIG: the line is longer than
 * HF_EVENT_MAX_TEXT. */
HF_MUST_USE int hf_outlet_append(struct hf_outlet *outlet, enum hf_lane lane, uint32_t tag, struct hf_view line,
                                 struct hf_receipt *receipt);

/* True if an append of n bytes would succeed now. Before you append a line to several outlets, call this for all of
 * them. */
bool hf_outlet_has_room(const struct hf_outlet *outlet, enum hf_lane lane, size_t n);

/* True if the spools dropped events to make room and no event reports these drops yet. The outlet stores such reports
 * from time to time on its own. */
bool hf_outlet_owes_drops(const struct hf_outlet *outlet);
/* Stores events that report the counts of dropped events, without waiting for their time. Holds the receipt (may be
 * NULL) until these reports are durable. */
void hf_outlet_report_drops(struct hf_outlet *outlet, struct hf_receipt *receipt);

/* Calls `each` for the lines in the newest segment of each lane, including delivered lines, so that the caller can fill
 * its table of ids again after a restart. Blocks, so call it only right after hf_outlet_new(). */
HF_MUST_USE int hf_outlet_recent(struct hf_outlet *outlet, size_t max_records,
                                 void (*each)(void *arg, struct hf_view line), void *arg);

struct hf_outlet_state {
    struct hf_spool_state lanes[HF_LANES];
    uint64_t oldest_unix_ns;        /* time of the oldest event that waits for delivery (0 means that no event waits) */
    uint64_t last_delivery_unix_ns; /* time of the last delivery by this process (0 means none yet) */
    uint64_t delivered, deferred, dead_lettered, attempts, failures;
    enum hf_breaker breaker;
    unsigned concurrency; /* requests allowed in flight at the same time */
    char trouble[192];    /* cause of the last failure; "" after a delivery */
};
struct hf_outlet_state hf_outlet_state(const struct hf_outlet *outlet);

/* Writes scheme, host and port of the sink's URL to text, without credentials, or "" if the sink has no URL. Returns
 * text. */
const char *hf_outlet_origin(const struct hf_outlet *outlet, char *text, size_t n);
