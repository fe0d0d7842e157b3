/* telemetry/sink/outlet_send.h - sends the bodies of one sink: when a request may start, how many run at once, and
 * what an answer means for the batch, the breaker and the pace.
 *
 * Threads: loop thread only.  Memory: owns the bodies given to it, their requests and the credentials.  Nothing here
 * calls the loader: it changes the phase of batches, and the outlet's next turn looks at them. */
#pragma once

#include "base/list.h"
#include "telemetry/delivery/aimd.h"
#include "telemetry/delivery/breaker.h"
#include "telemetry/sink/outlet_creds.h"
#include "telemetry/sink/outlet_lane.h"

/* One body, ready or in flight. */
struct hf_outlet_sending {
    struct hf_list link;
    struct hf_outlet_sender *sender;
    struct hf_outlet_lane *lane;
    struct hf_batch *batch;
    struct hf_format_packed packed;
    size_t part; /* index of the request in flight */
    uint64_t records, raw_bytes;
    uint64_t middle;   /* last sequence of the first half, where the batch would be split; 0: a single record */
    uint64_t began_ns; /* start of the part's request */
    size_t sent_bytes; /* size of its body */
    struct hf_http_call *call;
};

/* Evidence for the question whether the sink or the content of batches causes failures. */
struct hf_outlet_evidence {
    unsigned refused_in_a_row;   /* single records refused without a delivery in between */
    struct hf_retry_round pause; /* pauses of a sink that refuses everything */
    uint64_t error_first;        /* first sequence of the batch that last got a server error; 0: none */
    enum hf_lane error_lane;
    struct hf_suspects suspects;
    bool try_another; /* the content may be why the last probe failed: probe with another batch next */
};

/* Totals since the start. */
struct hf_outlet_counts {
    uint64_t delivered, deferred, attempts, failures;
};

struct hf_outlet_sender {
    const struct hf_outlet_config *config;
    const struct hf_outlet_metrics *metrics;
    struct hf_outlet_lane *lanes; /* array of HF_LANES lanes, which the outlet owns */
    struct hf_outlet_creds *creds;
    const struct hf_http_ops *http; /* NULL: no usable credentials now */
    struct hf_list sendings;        /* the bodies of batches in READY or SENDING */
    size_t n_ready, n_sending;
    uint64_t bytes_sending;
    struct hf_breaker_state breaker;
    struct hf_aimd pace;
    uint64_t last_success_ns; /* monotonic time of the last delivery; 0: none yet */
    uint64_t quiet_until_ns;  /* end of a pause of the whole sink (Retry-After) */
    struct hf_outlet_evidence evidence;
    struct hf_outlet_counts counts;
    char trouble[192]; /* cause of the last failure; "" after a delivery */
};

/* Pass a `sender` that is zero. On failure call hf_outlet_send_done() too. */
HF_MUST_USE int hf_outlet_send_init(struct hf_outlet_sender *sender, const struct hf_outlet_params *params,
                                    const struct hf_outlet_config *config, const struct hf_outlet_metrics *metrics,
                                    struct hf_outlet_lane *lanes, struct hf_err *err);
/* Cancels all requests, but leaves the phases of their batches as they are. */
void hf_outlet_send_done(struct hf_outlet_sender *sender);

/* Takes over a body of a batch and makes the batch READY. -ENOMEM: *packed is still the caller's. `records`: number
 * of records in the body. */
HF_MUST_USE int hf_outlet_send_add(struct hf_outlet_sender *sender, struct hf_outlet_lane *lane, struct hf_batch *batch,
                                   const struct hf_format_packed *packed, const struct hf_spool_record *records);

/* Starts as many requests as breaker, pace, window and credentials permit. Lowers *wait_until_ns to the time of the
 * next try. */
void hf_outlet_send_ready(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns);

/* True if the sender could use another body now. Lowers *wait_until_ns to the time when it may. */
bool hf_outlet_send_wants_body(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns);

/* True if the sink has not taken events for some time: then the newest urgent records go first. */
bool hf_outlet_send_is_outage(const struct hf_outlet_sender *sender, uint64_t now_ns);

/* Handles a batch that the sink refuses: splits it after sequence `middle`, or, with middle 0, marks its single record
 * for the dead letters. */
void hf_outlet_send_refuse(struct hf_outlet_sender *sender, struct hf_outlet_lane *lane, struct hf_batch *batch,
                           uint64_t middle, const char *reason, uint64_t now_ns);

/* Records why the last step failed; replaces bytes that are not printable ASCII, because the text ends up in a status
 * and in logs. */
void hf_outlet_send_set_trouble(struct hf_outlet_sender *sender, const char *format, ...) HF_PRINTF(2, 3);
