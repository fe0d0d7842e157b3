/* SPDX-License-Identifier: Apache-2.0 */
/* What a sink's answers mean:
 *
 *   delivered   2xx; but `setup` if another server answered (an HTML page)
 *   again       network errors, 408, 425, 426, 429, 5xx except 511, no HTTP status. Growing delays for a
 *               round (maxAttempts or maxDuration), then deferred: a longer delay, or until the breaker
 *               closes or credentials change. If one batch alone keeps failing: suspect.h.
 *   setup       3xx, 401 to 407, 421, 451, 511, a captive portal: wrong address or credentials, or a login.
 *               Retried slowly; never a dead letter.
 *   refused     400, 413, 415, 422, other 4xx. Split until the refused record is alone: a dead letter. */
#include "telemetry/delivery/retry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SETUP_BASE_NS (30 * HF_NS_PER_S)
#define SETUP_CAP_NS (600 * HF_NS_PER_S)
#define DEFER_CAP_NS (3600 * HF_NS_PER_S)
#define MAX_RETRY_AFTER_NS (3600 * HF_NS_PER_S) /* limits how long a sink can silence a node */

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static const struct {
    int r;
    const char *reason;
} network_reasons[] = {
    {-ECONNREFUSED, "refused"},
    {-EHOSTUNREACH, "unreachable"},
    {-ETIMEDOUT, "timeout"},
    {-EPROTO, "protocol"},
    {-EKEYREJECTED, "tls"},
    {-EPIPE, "cut"},
    {-E2BIG, "answer_too_large"},
    {-ENOMEM, "no_memory"},
    {-EACCES, "credentials"},
    {-EDESTADDRREQ, "dns"},
    {-EREMCHG, "tls"},
    {-ECONNABORTED, "refused"},
};

static const struct {
    int from, to;
    enum hf_retry_verdict verdict;
} statuses[] = {
    {200, 299, HF_RETRY_DELIVERED}, {300, 399, HF_RETRY_SETUP}, /* redirects: a batch goes only where the policy says */
    {401, 407, HF_RETRY_SETUP},                                 /* credentials, address, method, proxy */
    {408, 408, HF_RETRY_AGAIN},     {413, 413, HF_RETRY_TOO_LARGE}, {421, 421, HF_RETRY_SETUP}, /* misdirected */
    {425, 426, HF_RETRY_AGAIN},     {429, 429, HF_RETRY_AGAIN},     {451, 451, HF_RETRY_SETUP},
    {511, 511, HF_RETRY_SETUP}, /* the network wants a login */
    {400, 499, HF_RETRY_REFUSED},   {500, 599, HF_RETRY_AGAIN},
};

static enum hf_retry_verdict verdict_of(int status)
{
    for (size_t i = 0; i < HF_LEN(statuses); i++)
        if (status >= statuses[i].from && status <= statuses[i].to)
            return statuses[i].verdict;
    return HF_RETRY_AGAIN; /* not an HTTP status */
}

static const char *network_reason(int r, const struct hf_err *err)
{
    if (r == -EHOSTUNREACH && err != NULL && strstr(err->cause, "resolve") != NULL)
        return "dns";
    if (r == -ETIMEDOUT && err != NULL &&
        (strstr(err->cause, "onnection timed out after") != NULL ||
         strstr(err->cause, "onnection timeout after") != NULL || strstr(err->cause, "onnect to") != NULL))
        return "connect_timeout";
    for (size_t i = 0; i < HF_LEN(network_reasons); i++)
        if (network_reasons[i].r == r)
            return network_reasons[i].reason;
    return "network";
}

/* True if a page for people answered, such as that of a network that wants a login, whatever the status. */
static bool is_page(const struct hf_http_response *response)
{
    return strncasecmp(response->content_type, "text/html", strlen("text/html")) == 0;
}

struct hf_retry_judgement hf_retry_judge(int r, const struct hf_http_response *response, const struct hf_err *err)
{
    struct hf_retry_judgement judgement = {.verdict = HF_RETRY_AGAIN};

    if (r < 0) {
        (void)snprintf(judgement.reason, sizeof(judgement.reason), "%s", network_reason(r, err));
        judgement.congested = r == -ETIMEDOUT;
        judgement.maybe_content =
            r == -EPIPE || r == -EPROTO || r == -E2BIG || strcmp(judgement.reason, "timeout") == 0;
        return judgement;
    }
    judgement.verdict = verdict_of(response->status);
    if (judgement.verdict == HF_RETRY_DELIVERED) {
        if (!is_page(response))
            return judgement;
        judgement.verdict = HF_RETRY_SETUP;
        (void)snprintf(judgement.reason, sizeof(judgement.reason), "content_type");
        return judgement;
    }
    (void)snprintf(judgement.reason, sizeof(judgement.reason), "http_%d", response->status);
    judgement.server_error = judgement.verdict == HF_RETRY_AGAIN && response->status >= 500 &&
                             (response->status < 502 || response->status > 504);
    judgement.maybe_content = judgement.server_error;
    judgement.congested = response->status == 429 || response->status == 503 || response->status == 504;
    return judgement;
}

/* ---- rounds ------------------------------------------------------------------------------------------------------ */

static uint64_t jittered(uint64_t base_ns, uint64_t cap_ns, unsigned failures, const struct hf_rand_ops *rng,
                         uint64_t at_least_ns)
{
    struct hf_backoff backoff = {.base_ns = HF_MAX(base_ns, HF_NS_PER_MS),
                                 .cap_ns = HF_MAX(cap_ns, HF_MAX(base_ns, HF_NS_PER_MS)),
                                 .floor_ns = HF_MAX(base_ns / 4, HF_NS_PER_MS),
                                 .attempt = failures};

    return hf_backoff_next_ns(&backoff, rng, at_least_ns);
}

uint64_t hf_retry_round_fail(struct hf_retry_round *retry, const struct hf_retry_rules *rules,
                             const struct hf_rand_ops *rng, uint64_t now_ns, uint64_t at_least_ns, bool *ret_deferred)
{
    uint64_t wait_ns;

    at_least_ns = HF_MIN(at_least_ns, MAX_RETRY_AFTER_NS);
    if (retry->attempts == 0)
        retry->began_ns = now_ns;
    retry->attempts++;
    if (rules->linear)
        wait_ns = HF_MAX(HF_MIN(rules->base_ns * retry->attempts, rules->max_duration_ns), at_least_ns);
    else
        wait_ns = jittered(rules->base_ns, rules->max_duration_ns, retry->attempts - 1, rng, at_least_ns);
    *ret_deferred =
        retry->attempts >= rules->max_attempts || now_ns - retry->began_ns + wait_ns > rules->max_duration_ns;
    if (!*ret_deferred)
        return wait_ns;
    retry->attempts = 0;
    wait_ns = jittered(HF_MAX(rules->base_ns * 8, 30 * HF_NS_PER_S), DEFER_CAP_NS, HF_MIN(retry->deferrals, 16u), rng,
                       at_least_ns);
    retry->deferrals++;
    return wait_ns;
}

uint64_t hf_retry_round_wait_setup(struct hf_retry_round *retry, const struct hf_rand_ops *rng, uint64_t at_least_ns)
{
    uint64_t wait_ns = jittered(SETUP_BASE_NS, SETUP_CAP_NS, HF_MIN(retry->deferrals, 16u), rng,
                                HF_MIN(at_least_ns, MAX_RETRY_AFTER_NS));

    retry->deferrals++;
    return wait_ns;
}
