/* telemetry/sink/outlet_send.h - sends the bodies of one sink. It decides when a request may start, how many requests
 * may be in flight, and what an answer means for the batch, the breaker and the pace (delivery/aimd.h).
 *
 * Threads: loop thread only.  Memory: the sender owns the bodies that hf_outlet_send_add() passes to it, their
 * requests, and the credentials. The sender never calls the loader. It changes the phase of a batch, and the outlet's
 * next turn acts on the new phase. */
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
    /* last sequence of the first half, for a split of the batch (0 means that the batch has a single record) */
    uint64_t middle;
    uint64_t began_ns; /* time at which the request in flight began */
    size_t sent_bytes; /* size of the body of the request in flight */
    struct hf_http_call *call;
};

/* From these fields the sender decides whether the sink or the content of a batch causes failures. */
struct hf_outlet_evidence {
    unsigned refused_in_a_row;   /* number of single records that the sink refused without a delivery in between */
    struct hf_retry_round pause; /* computes the pauses for a sink that refuses everything */
    uint64_t error_first;        /* first sequence of the batch that last got a server error (0 means none) */
    enum hf_lane error_lane;
    struct hf_suspects suspects;
    /* the content of the batch may have made the last probe fail, so the next probe sends another batch */
    bool try_another;
};

/* Totals since hf_outlet_send_init(). */
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
    uint64_t last_success_ns; /* monotonic time of the last delivery (0 means none yet) */
    uint64_t quiet_until_ns;  /* end of a pause of the whole sink, for example after Retry-After */
    struct hf_outlet_evidence evidence;
    struct hf_outlet_counts counts;
    char trouble[192]; /* cause of the last failure; "" after a delivery */
};

/* Pass a `sender` whose bytes are all zero. Call hf_outlet_send_done() also after a failure. */
HF_MUST_USE int hf_outlet_send_init(struct hf_outlet_sender *sender, const struct hf_outlet_params *params,
                                    const struct hf_outlet_config *config, const struct hf_outlet_metrics *metrics,
                                    struct hf_outlet_lane *lanes, struct hf_err *err);
/* Cancels all requests, but leaves the phases of their batches as they are. */
void hf_outlet_send_done(struct hf_outlet_sender *sender);

/* Takes over the body of a batch and makes the batch READY. `records` are the records in the body. -ENOMEM: *packed
 * still belongs to the caller. */
HF_MUST_USE int hf_outlet_send_add(struct hf_outlet_sender *sender, struct hf_outlet_lane *lane, struct hf_batch *batch,
                                   const struct hf_format_packed *packed, const struct hf_spool_record *records);

/* Starts as many requests as breaker, pace, window and credentials permit. Lowers *wait_until_ns to the time when
 * another request may start. */
void hf_outlet_send_ready(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns);

/* True if the sender could use another body now. Lowers *wait_until_ns to the time when the sender may be able to use
 * one. */
bool hf_outlet_send_wants_body(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns);

/* True if the sink has accepted no events for some time. The newest urgent records then leave first. */
bool hf_outlet_send_is_outage(const struct hf_outlet_sender *sender, uint64_t now_ns);

/* Handles a batch that the sink refuses: splits the batch after sequence `middle`. If middle is 0, the batch has a
 * single record; that record then moves to the dead letters, or gets one more attempt after a pause if the sink has
 * refused many records in a row. */
void hf_outlet_send_refuse(struct hf_outlet_sender *sender, struct hf_outlet_lane *lane, struct hf_batch *batch,
                           uint64_t middle, const char *reason, uint64_t now_ns);

/* Sets `trouble` to the cause of the last failure. Replaces bytes that are not printable ASCII, because the text
 * appears in the status and in logs. */
void hf_outlet_send_set_trouble(struct hf_outlet_sender *sender, const char *format, ...) HF_PRINTF(2, 3);
