/* telemetry/sink/outlet.h - one sink and its durable queue: append is durable, delivery runs by itself.
 *
 * The queue has two lanes, each a spool of its own below <dir>/<sink name>/: `urgent` (anomalies, findings, errors and
 * above) and `bulk`. A batch is a range of sequences of one lane. Its borders are on disk before the first attempt, so
 * every attempt sends the same bytes under the same Idempotency-Key "<node>/<stream>/<first>-<last>", even after a
 * restart. The outlet registers its metrics holdfast_telemetry_* with the label `sink` in world->metrics.
 *
 * The parts of an outlet lie in outlet_*.{h,c}; outlet_config.h draws who calls whom.
 *
 * Threads: loop thread only.  Memory: copies appended lines.  Errors: 0 or -errno; *err names the sink. */
#pragma once

#include "loop/http/http.h"
#include "spool/spool.h"
#include "telemetry/delivery/breaker.h"
#include "telemetry/source/source.h"

enum hf_lane { HF_LANE_URGENT, HF_LANE_BULK, HF_LANES };

struct hf_outlet;

/* Returns the sink's name; a policy with one sink need not name it. */
static inline const char *hf_outlet_name(const struct hf_telemetry_sink *sink)
{
    return sink->name != NULL ? sink->name : "default";
}

struct hf_outlet_params {
    const struct hf_telemetry_world *world;
    const struct hf_telemetry *spec;      /* buffer, batch and retry settings; borrowed */
    const struct hf_telemetry_sink *sink; /* borrowed */
    const char *device_key_ref;           /* seed: "file:/path" or "env:NAME"; NULL: none */
    const char *cloud_endpoint;           /* the URL for a sink without url in the policy; NULL: none */
    const struct hf_http_ops *http;       /* NULL: a client of world->loop with the sink's credentials */
    uint64_t max_bytes;                   /* disk space of both lanes */
    uint64_t timeout_ns;                  /* time limit of a request with a small body; 0: 30 s */
    void (*room)(void *arg);              /* called after -EAGAIN when there is room again; may be NULL */
    void *arg;
};

/* Opens the spools (blocks; at start only) and delivers from the loop's next turn on. */
HF_MUST_USE int hf_outlet_new(const struct hf_outlet_params *params, struct hf_outlet **ret_outlet, struct hf_err *err);
void hf_outlet_free(struct hf_outlet *outlet);
HF_DEFINE_CLEANUP(struct hf_outlet, hf_outlet_free)

/* Frees the outlet like hf_outlet_free(); calls gone(arg), perhaps at once, when no worker uses its files any more.
 * Make another outlet of the same name only after that, or two would write to one folder. */
void hf_outlet_end(struct hf_outlet *outlet, void (*gone)(void *arg), void *arg);

/* Stores one line. 0: holds the receipt (may be NULL) until the line is durable. -EAGAIN: the queue is full (Block),
 * or too many lines wait for the disk. -E2BIG: longer than HF_EVENT_MAX_TEXT. */
HF_MUST_USE int hf_outlet_append(struct hf_outlet *outlet, enum hf_lane lane, uint32_t tag, struct hf_view line,
                                 struct hf_receipt *receipt);

/* True if an append of n bytes would succeed now. Ask all outlets before you give a line to several. */
bool hf_outlet_has_room(const struct hf_outlet *outlet, enum hf_lane lane, size_t n);

/* True if the spools dropped events to make room and no event reports that yet. The outlet reports such counts now and
 * then by itself. */
bool hf_outlet_owes_drops(const struct hf_outlet *outlet);
/* Reports the counts of dropped events now; holds the receipt (may be NULL) until these events are durable. */
void hf_outlet_report_drops(struct hf_outlet *outlet, struct hf_receipt *receipt);

/* Calls `each` with every line in the newest segment of each lane, delivered ones too, so that the caller can fill its
 * table of ids again after a restart. Blocks; at start only. */
HF_MUST_USE int hf_outlet_recent(struct hf_outlet *outlet, size_t max_records,
                                 void (*each)(void *arg, struct hf_view line), void *arg);

struct hf_outlet_state {
    struct hf_spool_state lanes[HF_LANES];
    uint64_t oldest_unix_ns;        /* time of the oldest waiting event; 0: no event waits */
    uint64_t last_delivery_unix_ns; /* time of the last delivery by this process; 0: none yet */
    uint64_t delivered, deferred, dead_lettered, attempts, failures;
    enum hf_breaker breaker;
    unsigned concurrency; /* requests allowed in flight at the same time */
    char trouble[192];    /* cause of the last failure; "" after a delivery */
};
struct hf_outlet_state hf_outlet_state(const struct hf_outlet *outlet);

/* Writes scheme, host and port of the sink's URL, without credentials, to text; "": there is no URL. Returns text. */
const char *hf_outlet_origin(const struct hf_outlet *outlet, char *text, size_t n);
