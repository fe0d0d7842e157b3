/* SPDX-License-Identifier: Apache-2.0 */
/* Classifies a sink's answer and computes the time of the next attempt.
 *
 *   delivered   2xx; but `setup` if the content type shows that another server answered (an HTML page)
 *   again       network errors, 408, 425, 426, 429, 5xx except 511, no HTTP status. Retried with growing delays for a
 *               round (maxAttempts or maxDuration), then deferred until after a longer delay, or until the breaker
 *               closes or the credentials change. If only one batch keeps failing: suspect.h.
 *   setup       3xx, 401 to 407, 421, 451, 511, a captive portal: address or credentials are wrong, or a login is due.
 *               Kept and retried slowly; never makes a dead letter.
 *   refused     400, 413, 415, 422, other 4xx. Split until a part holds the refused record alone: a dead letter.
 *
 * Pure. at_least_ns is the sink's Retry-After (0: none), limited to an hour. */
#pragma once

#include <stdbool.h>

#include "base/backoff.h"
#include "base/buf.h"
#include "loop/http/http.h"

enum hf_retry_verdict {
    HF_RETRY_DELIVERED,
    HF_RETRY_AGAIN,
    HF_RETRY_SETUP,
    HF_RETRY_REFUSED,
    HF_RETRY_TOO_LARGE, /* 413: halves may be accepted */
};

enum { HF_REASON_TEXT = 24 };

struct hf_retry_judgement {
    enum hf_retry_verdict verdict;
    /* A connection broke or timed out, a malformed or too large answer, or server_error. */
    bool maybe_content;
    char reason[HF_REASON_TEXT]; /* "http_503", "timeout", "tls", "dns"; "": delivered */
    bool congested;              /* 429, 503, 504, timeout: maybe overloaded */
    bool server_error;           /* 5xx but 502, 503, 504, 511 */
};

/* As hf_http_request.done. */
struct hf_retry_judgement hf_retry_judge(int r, const struct hf_http_response *response, const struct hf_err *err);

struct hf_retry_rules {
    uint64_t max_attempts;    /* of a round; >= 1 */
    uint64_t base_ns;         /* first delay at most */
    uint64_t max_duration_ns; /* of a round, first failure to last attempt; longest delay in it */
    bool linear;              /* 1, 2, 3 ... times base_ns, no jitter, for `seed` */
};

struct hf_retry_round {
    unsigned attempts;  /* failed, in this round */
    unsigned deferrals; /* in all, also after HF_RETRY_SETUP */
    uint64_t began_ns;  /* first failure of the round */
};

/* Counts a failure; returns the delay. *ret_deferred: the round ended (max_attempts, or the next attempt would exceed
 * max_duration_ns) and the delay is the long one before the next. */
uint64_t hf_retry_round_fail(struct hf_retry_round *retry, const struct hf_retry_rules *rules,
                             const struct hf_rand_ops *rng, uint64_t now_ns, uint64_t at_least_ns, bool *ret_deferred);
/* Returns the delay after HF_RETRY_SETUP: 30 s at most, doubled per deferral up to ten minutes, with jitter. */
uint64_t hf_retry_round_wait_setup(struct hf_retry_round *retry, const struct hf_rand_ops *rng, uint64_t at_least_ns);
