/* SPDX-License-Identifier: Apache-2.0 */
/* Sends bodies to a sink: when, how many at once, and what answers mean for batch, breaker and pace. Changes a batch's
 * phase, never calls the loader; outlet.c acts on it. Owns bodies, requests, credentials. *_ns are monotonic. */
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
    size_t part; /* in flight, of packed.parts */
    uint64_t records, raw_bytes;
    uint64_t middle;   /* to split at, if refused; 0: one record */
    uint64_t began_ns; /* request in flight */
    bool backlog;      /* of maxBytesPerDay */
    size_t sent_bytes; /* of its body */
    struct hf_http_call *call;
};

/* Is it the sink, or a batch's content? */
struct hf_outlet_evidence {
    unsigned refused_in_a_row;   /* single records since a delivery */
    struct hf_retry_round pause; /* a sink that refuses everything */
    uint64_t error_first;        /* last with a server error; 0: none */
    enum hf_lane error_lane;
    struct hf_suspects suspects;
    /* Probe with another: the last one's content may be why. Alternates if connections break: it may be the network. */
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
    const struct hf_http_ops *http; /* the last with usable credentials */
    struct hf_list sendings;        /* struct hf_outlet_sending */
    size_t n_ready, n_sending;
    uint64_t bytes_sending;
    struct hf_breaker_state breaker;
    struct hf_aimd pace;
    uint64_t last_success_ns; /* 0: none */
    uint64_t quiet_until_ns;  /* Retry-After and such */
    struct hf_outlet_evidence evidence;
    struct hf_outlet_counts counts;
    char trouble[192]; /* last failure; "" after a delivery */
    bool lacks_credentials;
    char warning[192]; /* the last 2xx's, about events; or "" */
};

/* Pass a zeroed `sender`; call _done also after a failure. */
HF_MUST_USE int hf_outlet_send_init(struct hf_outlet_sender *sender, const struct hf_outlet_params *params,
                                    const struct hf_outlet_config *config, const struct hf_outlet_metrics *metrics,
                                    struct hf_outlet_lane *lanes, struct hf_err *err);
/* Cancels requests, frees bodies and credentials; batches keep their phases. */
void hf_outlet_send_done(struct hf_outlet_sender *sender);

/* Owns *packed (not after -ENOMEM); the batch is READY. */
HF_MUST_USE int hf_outlet_send_add(struct hf_outlet_sender *sender, struct hf_outlet_lane *lane, struct hf_batch *batch,
                                   const struct hf_format_packed *packed, const struct hf_spool_record *records);

/* Starts all requests that breaker, pace, the policy's `windows`, link, credentials and bytes in flight permit. Lowers
 * *wait_until_ns to when another may start. */
void hf_outlet_send_ready(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns);

/* Can another body be sent soon? If only time is missing, lowers *wait_until_ns. */
bool hf_outlet_send_wants_body(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns);

/* Breaker not closed, or failed attempts and no delivery for a minute: newest urgent records first. */
bool hf_outlet_send_is_outage(const struct hf_outlet_sender *sender, uint64_t now_ns);

/* Splits a refused batch after `middle`, or lets it wait a second if that is not possible now. 0: a single record,
 * which becomes a dead letter, or gets one more attempt after a pause if many were refused in a row. */
void hf_outlet_send_refuse(struct hf_outlet_sender *sender, struct hf_outlet_lane *lane, struct hf_batch *batch,
                           uint64_t middle, const char *reason, uint64_t now_ns);

/* For status and logs; bytes that are not printable ASCII are replaced. */
void hf_outlet_send_set_trouble(struct hf_outlet_sender *sender, const char *format, ...) HF_PRINTF(2, 3);
