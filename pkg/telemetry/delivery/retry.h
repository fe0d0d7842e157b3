/* telemetry/delivery/retry.h - what an answer of a sink means, and when to try again. Pure.
 *
 *   delivered   2xx (but not a page of a captive portal)
 *   again       network, 408, 425, 429, 5xx: exponential with full jitter, a series of maxAttempts or maxDuration; then deferred: kept,
 *               tried again after a longer while or as soon as something else gets through; a batch that alone breaks
 *               connections is refused in the end (suspect.h)
 *   setup       401, 402, 403, 404, 405, 407, 3xx ...: the sink's address or our credentials are wrong. No record is to blame, nothing
 *               is thrown away for it: kept and tried again slowly
 *   refused     400, 413, 415, 422 and the other 4xx: this content will never pass. Split until the one record to blame stands alone,
 *               that one goes to the dead letters (deadletter.h) */
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
    HF_RETRY_TOO_LARGE, /* as refused, but halves are likely to pass */
};

enum { HF_REASON_TEXT = 24 };

struct hf_retry_judgement {
    enum hf_retry_verdict verdict;
    bool maybe_content; /* the connection was there and something went wrong: the content may be what brings it out */
    char reason[HF_REASON_TEXT]; /* for a metric's label: "http_503", "timeout", "tls", "dns" ...; "" when delivered */
    bool congested;              /* the sink is slow or says so: fewer at once */
    bool
        server_error; /* the sink answered that it could not handle this: not overloaded, not a gateway in front of it */
};

/* r, response, err as hf_http_request.done got them. want_type: a body's content type must start with it ("application/json"), NULL
 * any but HTML. */
struct hf_retry_judgement hf_retry_judge(int r, const struct hf_http_response *response, size_t body_bytes,
                                         const char *want_type, const struct hf_err *err);

struct hf_retry_rules {
    uint64_t max_attempts;    /* of a series; at least 1 */
    uint64_t base_ns;         /* of the first delay */
    uint64_t max_duration_ns; /* of a series */
    bool linear;              /* delays base, 2 base, 3 base ... without jitter: the seed's rule */
};

/* The attempts of one batch since it was last fresh. */
struct hf_retry_round {
    unsigned attempts;
    unsigned deferrals;
    uint64_t began_ns;
};

/* An attempt failed: how long to wait before the next one. *ret_deferred: the series has ended, the wait is a long one. at_least_ns:
 * Retry-After. */
uint64_t hf_retry_round_fail(struct hf_retry_round *retry, const struct hf_retry_rules *rules,
                             const struct hf_rand_ops *rng, uint64_t now_ns, uint64_t at_least_ns, bool *ret_deferred);
/* After HF_RETRY_SETUP: between half a minute and ten, longer each time. */
uint64_t hf_retry_round_wait_setup(struct hf_retry_round *retry, const struct hf_rand_ops *rng, uint64_t at_least_ns);
