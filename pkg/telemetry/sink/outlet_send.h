/* SPDX-License-Identifier: Apache-2.0 */
/* Sends bodies to a sink: when, how many at once, and what answers mean for batch, breaker and pace. Changes batches'
 * phases, never calls the loader. Owns bodies, requests, credentials. */
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
    size_t part; /* in flight */
    uint64_t records, raw_bytes;
    uint64_t middle; /* to split after, if refused; 0: one record */
    uint64_t began_ns;
    bool backlog;      /* counts against maxBytesPerDay */
    size_t sent_bytes; /* of this part */
    struct hf_http_call *call;
};

/* Is it the sink, or a batch's content? */
struct hf_outlet_evidence {
    unsigned refused_in_a_row;   /* single records, since a delivery */
    struct hf_retry_round pause; /* if it refuses everything */
    uint64_t error_first;        /* first sequence, at the last server error */
    enum hf_lane error_lane;
    struct hf_suspects suspects;
    /* Probe with another batch, as the last one's content may be why. Alternates if connections break: it may be the
     * network. */
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
    const struct hf_http_ops *http; /* last with usable credentials */
    struct hf_list sendings;        /* struct hf_outlet_sending */
    size_t n_ready, n_sending;
    uint64_t bytes_sending;
    struct hf_breaker_state breaker;
    struct hf_aimd pace;
    uint64_t last_success_ns;
    uint64_t quiet_until_ns; /* Retry-After and such */
    struct hf_outlet_evidence evidence;
    struct hf_outlet_counts counts;
    char trouble[192]; /* "" after a delivery */
    bool lacks_credentials;
    char warning[192]; /* last 2xx's, about events; or "" */
};

/* Pass zeros; _done also after a failure. */
HF_MUST_USE int hf_outlet_send_init(struct hf_outlet_sender *sender, const struct hf_outlet_params *params,
                                    const struct hf_outlet_config *config, const struct hf_outlet_metrics *metrics,
                                    struct hf_outlet_lane *lanes, struct hf_err *err);
/* Batches keep their phases. */
void hf_outlet_send_done(struct hf_outlet_sender *sender);

/* Takes over *packed (not after -ENOMEM); the batch is READY. */
HF_MUST_USE int hf_outlet_send_add(struct hf_outlet_sender *sender, struct hf_outlet_lane *lane, struct hf_batch *batch,
                                   const struct hf_format_packed *packed, const struct hf_spool_record *records);

/* Sends all that breaker, pace, `windows`, link, credentials and bytes in flight permit. Lowers *wait_until_ns to the
 * next. */
void hf_outlet_send_ready(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns);

/* Can another body be sent soon? If only time is missing, lowers *wait_until_ns. */
bool hf_outlet_send_wants_body(struct hf_outlet_sender *sender, uint64_t now_ns, uint64_t *wait_until_ns);

/* Breaker not closed, or failures and no delivery for a minute: newest urgent records first. */
bool hf_outlet_send_is_outage(const struct hf_outlet_sender *sender, uint64_t now_ns);

/* Splits a refused batch after `middle`, or delays it by a second if that is impossible now. 0: a single record: a dead
 * letter, or after many refusals in a row one more attempt after a pause. */
void hf_outlet_send_refuse(struct hf_outlet_sender *sender, struct hf_outlet_lane *lane, struct hf_batch *batch,
                           uint64_t middle, const char *reason, uint64_t now_ns);

/* Replaces what is not printable ASCII. */
void hf_outlet_send_set_trouble(struct hf_outlet_sender *sender, const char *format, ...) HF_PRINTF(2, 3);
