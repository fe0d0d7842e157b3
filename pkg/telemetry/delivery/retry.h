/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/delivery/retry.h - classifies a sink's answer and computes the time of the next attempt.
 *
 *   delivered   2xx. If the answer's content type shows that another server answered, the class is `setup` instead.
 *   again       network errors, 408, 425, 426, 429, 5xx except 511, and numbers that are no HTTP status. The outlet
 *               retries the batch with growing delays for one round, which ends after maxAttempts or maxDuration. Then
 *               the outlet defers the batch: the next round begins after a longer delay, or as soon as the breaker
 *               closes again (breaker.h) or the credentials change. If only one batch fails, again and again, and its
 *               content may be the cause, the outlet finally treats that batch as refused (suspect.h).
 *   setup       3xx, 401 to 407, 421, 451, 511, or a captive portal's page: the sink's address or our credentials are
 *               wrong, or the network wants a login. The outlet keeps the batch and retries slowly; such an answer
 *               never moves a record to the dead letters.
 *   refused     400, 413, 415, 422 and the other 4xx: the sink will never accept this content. The outlet splits the
 *               batch until a part holds the refused record alone, and moves that record to the dead letters
 *               (deadletter.h).
 *
 * Pure; all times are monotonic nanoseconds. */
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
    HF_RETRY_TOO_LARGE, /* like REFUSED, but after status 413: the sink may accept the halves of the batch */
};

enum { HF_REASON_TEXT = 24 };

struct hf_retry_judgement {
    enum hf_retry_verdict verdict;
    /* true if the content of the batch may be the cause: the open connection broke or timed out, the answer was
     * malformed or too large, or server_error is true */
    bool maybe_content;
    /* the failure in the form of a label of metrics, such as "http_503", "timeout", "tls" or "dns"; "" if the batch was
     * delivered */
    char reason[HF_REASON_TEXT];
    /* true if the status (429, 503 or 504) or a timeout suggests that the sink is overloaded; the outlet then has fewer
     * requests in flight */
    bool congested;
    /* true if the sink itself failed on this request, with a status 5xx other than 502, 503, 504 and 511 */
    bool server_error;
};

/* Classifies an answer. `r`, `response` and `err` are the arguments of hf_http_request.done. A status 2xx means
 * that the sink has the batch, unless the answer is an HTML page: then something else answered. */
struct hf_retry_judgement hf_retry_judge(int r, const struct hf_http_response *response, const struct hf_err *err);

struct hf_retry_rules {
    uint64_t max_attempts; /* maximum number of attempts in a round; at least 1 */
    uint64_t base_ns;      /* upper bound of the delay after the first failed attempt */
    /* maximum time from the first failed attempt of a round to its last attempt, and maximum delay between two attempts
     * of a round */
    uint64_t max_duration_ns;
    /* true if the delays are 1, 2, 3 ... times base_ns without jitter, as the sink format `seed` prescribes */
    bool linear;
};

/* The current round of attempts of one batch. */
struct hf_retry_round {
    unsigned attempts;  /* number of failed attempts in this round */
    unsigned deferrals; /* number of deferrals of the batch so far, also those after HF_RETRY_SETUP */
    uint64_t began_ns;  /* time of the round's first failed attempt */
};

/* Counts a failed attempt and returns the delay before the next one. Sets *ret_deferred to true if this attempt ended
 * the round, either because it was attempt number max_attempts, or because the next attempt would come more than
 * max_duration_ns after the round's first failed attempt. The returned delay is then the long delay before the next
 * round. Otherwise sets *ret_deferred to false. `at_least_ns` is the delay that the sink asked for with Retry-After (0
 * means none); more than an hour counts as an hour. */
uint64_t hf_retry_round_fail(struct hf_retry_round *retry, const struct hf_retry_rules *rules,
                             const struct hf_rand_ops *rng, uint64_t now_ns, uint64_t at_least_ns, bool *ret_deferred);
/* Returns the delay after HF_RETRY_SETUP. Its upper bound is half a minute, doubled for each earlier deferral
 * (retry->deferrals) up to ten minutes; jitter shortens the delay. The call counts as a deferral. at_least_ns is the
 * delay that the sink asked for with Retry-After (0 means none); more than an hour counts as an hour. */
uint64_t hf_retry_round_wait_setup(struct hf_retry_round *retry, const struct hf_rand_ops *rng, uint64_t at_least_ns);
