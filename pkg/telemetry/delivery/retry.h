/* SPDX-License-Identifier: Apache-2.0 */
/* Decides what a sink's answer means (table: retry.c), and when to try again. at_least_ns is the sink's Retry-After (0:
 * none), limited to an hour. Pure. */
#pragma once

#include <stdbool.h>

#include "base/backoff.h"
#include "base/buf.h"
#include "loop/http/http.h"

enum hf_retry_verdict {
    HF_RETRY_DELIVERED,
    HF_RETRY_AGAIN,
    HF_RETRY_SETUP, /* wrong address or credentials, or a network that wants a login */
    HF_RETRY_REFUSED,
    HF_RETRY_TOO_LARGE, /* 413: half of the batch may pass */
};

enum { HF_REASON_TEXT = 24 };

struct hf_retry_judgement {
    enum hf_retry_verdict verdict;
    /* Broken connection, late answer, malformed or too large answer, server_error: the content may be the cause. */
    bool maybe_content;
    char reason[HF_REASON_TEXT]; /* "http_503", "timeout", "tls", "dns"; "" if delivered */
    bool congested;              /* sink maybe overloaded: 429, 503, 504, timeout */
    bool server_error;           /* 5xx except 502, 503, 504, 511 */
};

struct hf_retry_judgement hf_retry_judge(int r, const struct hf_http_response *response, const struct hf_err *err);

struct hf_retry_rules {
    uint64_t max_attempts;
    uint64_t base_ns;         /* longest first delay */
    uint64_t max_duration_ns; /* from the first failure to the last attempt; also caps delays of a round */
    bool linear;              /* a round's delays: 1, 2, 3 ... times base_ns, no jitter */
};

struct hf_retry_round {
    unsigned attempts;
    unsigned deferrals;
    uint64_t began_ns;
};

/* Returns the delay after a failure. *ret_deferred: this failure ended the round, so the delay is long. */
uint64_t hf_retry_round_fail(struct hf_retry_round *retry, const struct hf_retry_rules *rules,
                             const struct hf_rand_ops *rng, uint64_t now_ns, uint64_t at_least_ns, bool *ret_deferred);
uint64_t hf_retry_round_wait_setup(struct hf_retry_round *retry, const struct hf_rand_ops *rng, uint64_t at_least_ns);
