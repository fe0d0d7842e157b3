/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/outlet_send.h - sends bodies to one sink: when a request may start, how many at once, and what the
 * answer means for batch, breaker and pace.
 *
 * It changes the phase of a batch and never calls the loader; outlet.c acts on the phase. Owns bodies, requests and
 * credentials. Threads: loop thread only. Times *_ns are monotonic. */
#pragma once

#include "base/list.h"
#include "telemetry/delivery/aimd.h"
#include "telemetry/delivery/breaker.h"
#include "telemetry/sink/outlet_creds.h"
#include "telemetry/sink/outlet_lane.h"

struct hf_outlet_sending {
    struct hf_list link;
    struct hf_outlet_sender *sender;
    struct hf_outlet_lane *lane;
    struct hf_batch *batch;
    struct hf_format_packed packed;
    size_t part; /* the one in flight, of packed.parts */
    uint64_t records, raw_bytes;
    uint64_t middle;   /* where to split if refused; 0: a single record */
    uint64_t began_ns; /* start of the request in flight */
    bool backlog;      /* it uses up the policy's maxBytesPerDay */
    size_t sent_bytes; /* size of its body */
    struct hf_http_call *call;
};

/* Evidence whether failures are due to the sink or the content of a batch. */
struct hf_outlet_evidence {
    unsigned refused_in_a_row;   /* single records since the last delivery */
    struct hf_retry_round pause; /* pauses for a sink that refuses everything */
    uint64_t error_first;        /* batch last answered with a server error; 0: none */
    enum hf_lane error_lane;
    struct hf_suspects suspects;
    /* Probe with another batch: the last one's content may be the cause. Alternates with broken connections, because
     * the network may be. */
    bool try_another;
};

/* Since hf_outlet_send_init(). */
struct hf_outlet_counts {
    uint64_t delivered, deferred, attempts, failures;
};

struct hf_outlet_sender {
    const struct hf_outlet_config *config;
    const struct hf_outlet_metrics *metrics;
    struct hf_outlet_lane *lanes;
    struct hf_outlet_creds *creds;
    const struct hf_http_ops *http; /* NULL: no usable credentials */
    struct hf_list sendings;        /* struct hf_outlet_sending */
    size_t n_ready, n_sending;
    uint64_t bytes_sending;
    struct hf_breaker_state breaker;
    struct hf_aimd pace;
    uint64_t last_success_ns; /* last delivery; 0: none */
    uint64_t quiet_until_ns;  /* no request before, such as by Retry-After */
    struct hf_outlet_evidence evidence;
    struct hf_outlet_counts counts;
    char trouble[192]; /* cause of the last failure; "" after a delivery */
    char warning[192]; /* the last 2xx's complaint about events, or "" */
};

/* Pass a zeroed `sender`. Call done also after a failure. */
HF_MUST_USE int hf_outlet_send_init(struct hf_outlet_sender *sender, const struct hf_outlet_params *params,
                                    const struct hf_outlet_config *config, const struct hf_outlet_metrics *metrics,
                                    struct hf_outlet_lane *lanes, struct hf_err *err);
/* Cancels requests, frees bodies and credentials; keeps the batches' phases. */
void hf_outlet_send_done(struct hf_outlet_sender *sender);

/* Owns *packed from now on (not after -ENOMEM) and makes the batch READY. */
HF_MUST_USE int hf_outlet_send_add(struct hf_outlet_sender *sender, struct hf_outlet_lane *lane, struct hf_batch *batch,
                                   const struct hf_format_packed *packed, const struct hf_spool_record *records);

/* Starts all requests that breaker, pace, the policy's `windows`, link, credentials and bytes in flight permit. Lowers
 * *wait_until_ns to when another may start. */
void hf_outlet_send_ready(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns);

/* Can another body be sent soon? If only time is missing, lowers *wait_until_ns. */
bool hf_outlet_send_wants_body(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns);

/* The breaker is not closed, or attempts have failed and the last delivery is over a minute ago: the newest urgent
 * records then go first. */
bool hf_outlet_send_is_outage(const struct hf_outlet_sender *sender, uint64_t now_ns);

/* Splits a refused batch after `middle`, or lets it wait for a second if that is not possible now. 0: a single record,
 * which becomes a dead letter, or gets one more attempt after a pause if many were refused in a row. */
void hf_outlet_send_refuse(struct hf_outlet_sender *sender, struct hf_outlet_lane *lane, struct hf_batch *batch,
                           uint64_t middle, const char *reason, uint64_t now_ns);

/* For status and logs: replaces bytes that are not printable ASCII. */
void hf_outlet_send_set_trouble(struct hf_outlet_sender *sender, const char *format, ...) HF_PRINTF(2, 3);
