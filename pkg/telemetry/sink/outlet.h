/* telemetry/sink/outlet.h - one sink with what waits for it on disk: append is durable, delivery happens by itself.
 *
 * Two lanes, each a spool of its own below <dir>/<sink name>/: `urgent` (anomalies, findings, errors and above) and `bulk`. A batch is
 * a range of sequences of one lane; its borders are on disk before it is first sent, so that whatever happens it is sent again as the
 * same bytes under the same Idempotency-Key "<node>/<stream>/<first>-<last>". Loop thread only. */
#pragma once

#include "loop/http.h"
#include "spool/spool.h"
#include "telemetry/source/source.h"

enum hf_lane { HF_LANE_URGENT, HF_LANE_BULK, HF_LANES };

struct hf_outlet;

/* The only sink needs no name. */
static inline const char *hf_outlet_name(const struct hf_telemetry_sink *sink)
{
    return sink->name != NULL ? sink->name : "default";
}

struct hf_outlet_params {
    const struct hf_telemetry_world *world;
    const struct hf_telemetry *spec;      /* buffer, batch, retry; borrowed */
    const struct hf_telemetry_sink *sink; /* borrowed */
    const char *device_key_ref;           /* seed: "file:/path" or "env:NAME"; NULL none */
    const char *cloud_endpoint;           /* for a sink without url; NULL none */
    const struct hf_http_ops *http;       /* NULL: a client of world->loop with the sink's credentials */
    uint64_t max_bytes;                   /* of both lanes */
    uint64_t timeout_ns;                  /* of a request, and more for a big body; 0: 30 s */
    void (*room)(void *arg);              /* after -EAGAIN: there is room again */
    void *arg;
};

/* Opens its spools (blocks, at start only) and begins to deliver when the loop turns. */
HF_MUST_USE int hf_outlet_new(const struct hf_outlet_params *params, struct hf_outlet **ret_outlet, struct hf_err *err);
void hf_outlet_free(struct hf_outlet *outlet);
HF_DEFINE_CLEANUP(struct hf_outlet, hf_outlet_free)
/* As free; gone(arg) is called, perhaps at once, when no worker has anything of it any more: only then may another outlet of the same
 * name be made, two would write to one folder. */
void hf_outlet_end(struct hf_outlet *outlet, void (*gone)(void *arg), void *arg);

/* Store one line (copied). 0: the receipt (may be NULL) is held and released when durable. -EAGAIN: full (Block) or too much waits. */
HF_MUST_USE int hf_outlet_append(struct hf_outlet *outlet, enum hf_lane lane, uint32_t tag, struct hf_view line,
                                 struct hf_receipt *receipt);

/* Would an append of a line of n bytes be taken now? Only then is it worth to hand it to several outlets. */
bool hf_outlet_has_room(const struct hf_outlet *outlet, enum hf_lane lane, size_t n);

/* Counts of what was dropped to make room go out as events now and then: is there one that did not yet, and: do it now. The receipt (may
 * be NULL) is held until they are durable. */
bool hf_outlet_owes_drops(const struct hf_outlet *outlet);
void hf_outlet_report_drops(struct hf_outlet *outlet, struct hf_receipt *receipt);

/* Calls `each` with every line of the newest records kept (delivered ones too, as far as they are there), newest segment only: to know
 * ids again after a restart. Blocks; at start only. */
HF_MUST_USE int hf_outlet_recent(struct hf_outlet *outlet, size_t max_records,
                                 void (*each)(void *arg, struct hf_view line), void *arg);

enum hf_breaker { HF_BREAKER_CLOSED, HF_BREAKER_OPEN, HF_BREAKER_HALF_OPEN };
struct hf_outlet_state {
    struct hf_spool_state lanes[HF_LANES];
    uint64_t oldest_unix_ns;        /* of what waits; 0: nothing waits */
    uint64_t last_delivery_unix_ns; /* in this life; 0: none yet */
    uint64_t delivered, deferred, dead_lettered, attempts, failures;
    enum hf_breaker breaker;
    unsigned concurrency; /* batches at once, now */
    char trouble[192];    /* why the last attempt failed; "" it did not */
};
struct hf_outlet_state hf_outlet_state(const struct hf_outlet *outlet);
/* Scheme, host and port of where it goes; "" unknown. No credentials. */
const char *hf_outlet_origin(const struct hf_outlet *outlet, char *text, size_t n);
/* holdfast_telemetry_* with label sink are registered by itself in world->metrics. */
