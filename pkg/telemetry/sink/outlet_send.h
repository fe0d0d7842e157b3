/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/outlet_send.h - sends bodies to one sink. The sender decides when a request may start, how many
 * requests may be in flight, and what an answer means for the batch, the breaker and the pace (delivery/aimd.h).
 *
 * Threads: loop thread only.  Memory: the sender owns the bodies that hf_outlet_send_add() passes to it, their
 * requests, and the credentials. The sender never calls the loader. The sender changes the phase of a batch, and
 * outlet.c acts on the new phase when it next decides what to do. */
#pragma once

#include "base/list.h"
#include "telemetry/delivery/aimd.h"
#include "telemetry/delivery/breaker.h"
#include "telemetry/sink/outlet_creds.h"
#include "telemetry/sink/outlet_lane.h"

/* The body of one batch that is READY or SENDING. */
struct hf_outlet_sending {
    struct hf_list link;
    struct hf_outlet_sender *sender;
    struct hf_outlet_lane *lane;
    struct hf_batch *batch;
    struct hf_format_packed packed;
    size_t part; /* index in packed.parts of the request in flight */
    uint64_t records, raw_bytes;
    /* sequence after which to split the batch if the sink refuses it (0 means that the batch has a single record) */
    uint64_t middle;
    uint64_t began_ns; /* monotonic time at which the request in flight began */
    bool backlog;      /* true if the request in flight counts against the policy's maxBytesPerDay */
    size_t sent_bytes; /* size in bytes of the body of the request in flight */
    struct hf_http_call *call;
};

/* Facts by which the sender decides which of the two causes failures: the sink, or the content of a batch. */
struct hf_outlet_evidence {
    unsigned refused_in_a_row; /* number of single records that the sink has refused since the last delivery */
    /* counts the pauses for a sink that refuses everything, so that each pause can be longer than the last */
    struct hf_retry_round pause;
    /* first sequence of the batch to which the sink last answered with a server error (0 means none) */
    uint64_t error_first;
    enum hf_lane error_lane;
    struct hf_suspects suspects;
    /* True if the next probe should send a different batch than the last request, because the content of that batch may
     * have caused the failure. After broken connections in a row the flag alternates, because the network may be the
     * cause. */
    bool try_another;
};

/* Counts since hf_outlet_send_init(): delivered events, deferred batches, requests, and failures. */
struct hf_outlet_counts {
    uint64_t delivered, deferred, attempts, failures;
};

struct hf_outlet_sender {
    const struct hf_outlet_config *config;
    const struct hf_outlet_metrics *metrics;
    struct hf_outlet_lane *lanes; /* array of HF_LANES lanes, which the outlet owns */
    struct hf_outlet_creds *creds;
    const struct hf_http_ops *http; /* HTTP client; NULL while the credentials are not usable */
    struct hf_list sendings;        /* list of struct hf_outlet_sending, one for each batch that is READY or SENDING */
    size_t n_ready, n_sending;
    uint64_t bytes_sending;
    struct hf_breaker_state breaker;
    struct hf_aimd pace;
    uint64_t last_success_ns; /* monotonic time of the last delivery (0 means that there was none) */
    /* monotonic time before which no request to the sink starts, for example after Retry-After */
    uint64_t quiet_until_ns;
    struct hf_outlet_evidence evidence;
    struct hf_outlet_counts counts;
    char trouble[192]; /* cause of the last failure to deliver; "" if a delivery succeeded since then */
    char warning[192]; /* what the last answer of status 2xx says against the events; "" if nothing */
};

/* Initializes a sender, whose bytes must all be zero. Call hf_outlet_send_done() also after a failure. */
HF_MUST_USE int hf_outlet_send_init(struct hf_outlet_sender *sender, const struct hf_outlet_params *params,
                                    const struct hf_outlet_config *config, const struct hf_outlet_metrics *metrics,
                                    struct hf_outlet_lane *lanes, struct hf_err *err);
/* Cancels all requests, and frees the bodies and the credentials. Does not change the phases of the batches. */
void hf_outlet_send_done(struct hf_outlet_sender *sender);

/* Takes ownership of *packed, the body of a batch, and makes the batch READY. `records` are the records in the body.
 * After -ENOMEM *packed still belongs to the caller. */
HF_MUST_USE int hf_outlet_send_add(struct hf_outlet_sender *sender, struct hf_outlet_lane *lane, struct hf_batch *batch,
                                   const struct hf_format_packed *packed, const struct hf_spool_record *records);

/* Starts as many requests as the breaker, the pace, the policy's `windows` for this sink, the link, the credentials and
 * the limit of bytes in flight permit. Lowers *wait_until_ns to the monotonic time at which another request may
 * start. */
void hf_outlet_send_ready(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns);

/* Returns true if the sender can send another body soon. Otherwise, if the sender only has to wait for a certain time,
 * lowers *wait_until_ns to this monotonic time. */
bool hf_outlet_send_wants_body(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns);

/* Returns true if the sink does not work: the breaker is not closed, or the last delivery is more than a minute ago and
 * attempts have failed since then. The outlet then sends the newest urgent records first. */
bool hf_outlet_send_is_outage(const struct hf_outlet_sender *sender, uint64_t now_ns);

/* Handles a batch that the sink refuses. Splits the batch after the sequence `middle`. If hf_batches_split() cannot
 * split the batch now, the batch waits for a second. If `middle` is 0, the batch has a single record. That record then
 * moves to the dead letters, or gets one more attempt after a pause if the sink has refused many records in a row. */
void hf_outlet_send_refuse(struct hf_outlet_sender *sender, struct hf_outlet_lane *lane, struct hf_batch *batch,
                           uint64_t middle, const char *reason, uint64_t now_ns);

/* Sets sender->trouble, the cause of the last failure. Replaces bytes that are not printable ASCII, because the text
 * appears in the status and in logs. */
void hf_outlet_send_set_trouble(struct hf_outlet_sender *sender, const char *format, ...) HF_PRINTF(2, 3);
