/* SPDX-License-Identifier: Apache-2.0 */
/* Sends bodies to a sink: decides when and how many at once, and what answers mean for batch, breaker and pace. Owns
 * bodies, requests and credentials. */
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
    size_t part; /* index of the part in flight */
    uint64_t records, raw_bytes;
    uint64_t middle; /* where to split, if the sink refuses the batch; 0: one record */
    uint64_t began_ns;
    bool backlog;
    size_t sent_bytes;
    struct hf_http_call *call;
};

/* Evidence whether the sink or a batch's content is at fault. */
struct hf_outlet_evidence {
    unsigned refused_in_a_row; /* single records refused since the last delivery */
    struct hf_retry_round pause;
    uint64_t error_first;
    enum hf_lane error_lane;
    struct hf_suspects suspects;
    /* The next probe should be another batch, because the last one's content may be at fault. */
    bool try_another;
};

struct hf_outlet_counts {
    uint64_t delivered, deferred, attempts, failures;
};

struct hf_outlet_sender {
    const struct hf_outlet_config *config;
    const struct hf_outlet_metrics *metrics;
    struct hf_outlet_lane *lanes;
    struct hf_outlet_creds *creds;
    const struct hf_http_ops *http;
    struct hf_list sendings;
    size_t n_ready, n_sending;
    uint64_t bytes_sending;
    struct hf_breaker_state breaker;
    struct hf_aimd pace;
    uint64_t last_success_ns;
    uint64_t quiet_until_ns; /* no requests before this time, as after Retry-After */
    struct hf_outlet_evidence evidence;
    struct hf_outlet_counts counts;
    char trouble[192]; /* last failure; "" after a delivery */
    bool lacks_credentials;
    char warning[192]; /* warning of the last delivery, about rejected events; or "" */
};

/* *sender must be zeros. Call _done also after a failure. */
HF_MUST_USE int hf_outlet_send_init(struct hf_outlet_sender *sender, const struct hf_outlet_params *params,
                                    const struct hf_outlet_config *config, const struct hf_outlet_metrics *metrics,
                                    struct hf_outlet_lane *lanes, struct hf_err *err);
void hf_outlet_send_done(struct hf_outlet_sender *sender);

/* Adds a body; its batch is then READY. Takes over *packed, except after -ENOMEM. */
HF_MUST_USE int hf_outlet_send_add(struct hf_outlet_sender *sender, struct hf_outlet_lane *lane, struct hf_batch *batch,
                                   const struct hf_format_packed *packed, const struct hf_spool_record *records);

/* Sends what breaker, pace, windows, link and credentials permit. */
void hf_outlet_send_ready(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns);

/* Whether another body can be sent soon. If only time is missing, lowers *wait_until_ns. */
bool hf_outlet_send_wants_body(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns);

/* Whether deliveries fail: breaker not closed, or failures and the last delivery over a minute ago. */
bool hf_outlet_send_is_outage(const struct hf_outlet_sender *sender, uint64_t now_ns);

/* Splits a refused batch after `middle`, or delays it if it cannot. With `middle` 0 its single record becomes a dead
 * letter, or is tried once more if many were refused in a row. */
void hf_outlet_send_refuse(struct hf_outlet_sender *sender, struct hf_outlet_lane *lane, struct hf_batch *batch,
                           uint64_t middle, const char *reason, uint64_t now_ns);

/* Sets `trouble`; replaces what is not printable ASCII. */
void hf_outlet_send_set_trouble(struct hf_outlet_sender *sender, const char *format, ...) HF_PRINTF(2, 3);
