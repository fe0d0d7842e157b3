/* telemetry/delivery/retry.h - classifies a sink's answer and computes the time of the next attempt.
 *
 *   delivered   2xx, unless the body is a captive portal's page.
 *   again       network errors, 408, 425, 429, 5xx. The outlet retries the batch with exponential back-off and full
 *               jitter for one round of maxAttempts or maxDuration. Then it defers the batch: it keeps it and retries
 *               after a longer time, or as soon as another batch passes. A batch that is the only one to break
 *               connections counts as refused in the end (suspect.h).
 *   setup       401, 402, 403, 404, 405, 407, 3xx and others: the sink's address or our credentials are wrong. The
 *               outlet keeps the batch and retries slowly; such an answer never costs a record.
 *   refused     400, 413, 415, 422 and the other 4xx: the sink will never accept this content. The outlet splits the
 *               batch until the refused record stands alone; that one moves to the dead letters (deadletter.h).
 *
 * Pure: no clock; times are monotonic nanoseconds. */
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
    HF_RETRY_TOO_LARGE, /* as refused, but the halves may pass */
};

enum { HF_REASON_TEXT = 24 };

struct hf_retry_judgement {
    enum hf_retry_verdict verdict;
    bool maybe_content;          /* the failure came after connecting, so the content may cause it */
    char reason[HF_REASON_TEXT]; /* label of a metric: "http_503", "timeout", "tls", "dns" ...; "" when delivered */
    bool congested;              /* the sink is overloaded: send fewer requests at the same time */
    bool server_error;           /* the sink itself failed on this request: 5xx other than 502, 503, 504 */
};

/* r, response and err: as passed to hf_http_request.done. want_type: prefix of a body's content type
 * ("application/json"); NULL: any type but HTML. */
struct hf_retry_judgement hf_retry_judge(int r, const struct hf_http_response *response, size_t body_bytes,
                                         const char *want_type, const struct hf_err *err);

struct hf_retry_rules {
    uint64_t max_attempts;    /* attempts in a round; at least 1 */
    uint64_t base_ns;         /* upper bound of the first delay */
    uint64_t max_duration_ns; /* length of a round */
    /* the delays are 1, 2, 3 ... times base_ns, without jitter, as the sink format `seed` expects */
    bool linear;
};

/* The current round of attempts of one batch. */
struct hf_retry_round {
    unsigned attempts;
    unsigned deferrals;
    uint64_t began_ns;
};

/* Counts a failed attempt and returns the delay before the next one. *ret_deferred: the attempt ended the round, and
 * the delay is a long one. at_least_ns: Retry-After. */
uint64_t hf_retry_round_fail(struct hf_retry_round *retry, const struct hf_retry_rules *rules,
                             const struct hf_rand_ops *rng, uint64_t now_ns, uint64_t at_least_ns, bool *ret_deferred);
/* Returns the delay after HF_RETRY_SETUP: half a minute to ten minutes, longer each time. */
uint64_t hf_retry_round_wait_setup(struct hf_retry_round *retry, const struct hf_rand_ops *rng, uint64_t at_least_ns);
