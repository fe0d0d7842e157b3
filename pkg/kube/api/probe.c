/* SPDX-License-Identifier: Apache-2.0 */
/* A LIST that the MetaServer's store answered at once is followed by the question whether the cloud may make it at all
 * (rules/review.h), in the LIST's place. */
#include <errno.h>

#include "kube/api/client.h"

static void explain_store(struct hf_err *err)
{
    (void)hf_err_set(
        err, ESTALE,
        "the MetaServer answered from its own store: the cloud did not answer; look at the link, CloudCore, "
        "or modules.dynamicController.enable (docs/how-to/kubeedge.md)");
}

/* ---- whose LIST -------------------------------------------------------------------------------------------------- */

/* Until the cloud is proven to be there, only a list that can prove it is worth sending. */
static bool may_send(const struct hf_kube_subscription *sub)
{
    return sub->wants_probe && (sub->resource->provable || sub->kube->prober.proven);
}

struct hf_kube_subscription *hf_kube_probe_next(struct hf_kube *kube)
{
    for (struct hf_kube_subscription *s = kube->probed; s != NULL && (s = hf_kube_next(kube, s)) != NULL;)
        if (may_send(s))
            return s;
    for (struct hf_kube_subscription *s = NULL; (s = hf_kube_next(kube, s)) != NULL;)
        if (may_send(s))
            return s;
    return NULL;
}

bool hf_kube_probe_has_others(struct hf_kube *kube)
{
    const struct hf_kube_subscription *first = hf_kube_next(kube, NULL);

    return first != NULL && hf_kube_next(kube, first) != NULL;
}

/* A subscription that wants a LIST, else any whose list can prove that the cloud is there. */
static struct hf_kube_subscription *choose(struct hf_kube *kube)
{
    struct hf_kube_subscription *sub = hf_kube_probe_next(kube);

    for (struct hf_kube_subscription *s = NULL; sub == NULL && (s = hf_kube_next(kube, s)) != NULL;)
        if (s->resource->provable)
            sub = s;
    return sub;
}

static bool needs_review(const struct hf_kube_subscription *sub)
{
    return sub->own_ns != NULL && !sub->may_watch;
}

int hf_kube_probe_start(struct hf_kube *kube, const struct hf_exchange_owner *owner,
                        const struct hf_exchange_owner *review_owner)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(4096);
    struct hf_kube_subscription *sub = choose(kube);

    if (sub == NULL)
        return -ENOENT;
    kube->probed = sub;
    kube->probe_ns = hf_kube_now_ns(kube);
    sub->wants_probe = false;
    kube->reviews_watch = needs_review(sub);
    if (kube->reviews_watch)
        return hf_kube_probe_review(kube, review_owner);
    int r = hf_resource_list_url(kube->p.config->server, sub->resource, sub->name, HF_PAGE_PROXY, "", &url);
    struct hf_http_request request = {.method = "GET",
                                      .url = hf_buf_str(&url),
                                      .headers = {"Accept: application/json"},
                                      .timeout_ns = HF_KUBE_PROBE_NS,
                                      .max_body_bytes = HF_KUBE_MAX_LIST_BYTES};
    if (r == 0)
        r = hf_exchange_start(kube->p.http, &request, owner, &kube->probe, NULL);
    return r == -ENOENT ? -EIO : r;
}

/* ---- its answer -------------------------------------------------------------------------------------------------- */

static void take_proven(struct hf_kube_subscription *sub)
{
    sub->unexplained = false;
    if (sub->dead)
        return;
    hf_kube_arm_turn(sub->kube);               /* opens its watch */
    sub->doubtful |= !sub->resource->provable; /* then it must not report that an object is gone */
    hf_kube_list_end_round(sub);
    sub->ledger.baseline = hf_kube_version_number(sub->version);
}

enum hf_kube_proof hf_kube_probe_take(struct hf_kube_subscription *sub, int r, const struct hf_http_response *response,
                                      struct hf_view body, struct hf_err *err)
{
    char *next = NULL;

    if (r < 0)
        return HF_KUBE_DOUBTFUL;
    if (response->status != 200) {
        char text[150];
        (void)hf_err_set(err, EPROTO, "%s: the MetaServer answered %d: %s", sub->resource->kind, response->status,
                         hf_kube_status_message(body, text, sizeof(text)));
        return HF_KUBE_DOUBTFUL;
    }
    bool late = hf_kube_now_ns(sub->kube) - sub->kube->probe_ns >= HF_KUBE_LATE_NS;
    if (!sub->resource->provable && late) { /* spelled right in any case, but the cloud does not take so long */
        (void)hf_err_set(err, ETIMEDOUT, "%s: the MetaServer answered too late for the list to come from the cloud",
                         sub->resource->kind);
        return HF_KUBE_DOUBTFUL;
    }
    hf_ledger_begin(&sub->ledger);
    bool wanted = sub->relist;
    sub->relist = false; /* this answer serves what was wanted before it; a want from here on gets another */
    enum hf_kube_list answer = hf_kube_list_take(sub, body, 0, &next, err);
    free(next); /* the MetaServer does not page */
    if (answer == HF_KUBE_LIST_GARBAGE)
        hf_kube_report_refused(sub, "list", err);
    if (answer == HF_KUBE_LIST_MISSPELT)
        explain_store(err);
    if (answer != HF_KUBE_LIST_PROVEN || sub->dead)
        sub->relist |= wanted;
    if (answer == HF_KUBE_LIST_PROVEN)
        take_proven(sub);
    return answer == HF_KUBE_LIST_PROVEN              ? HF_KUBE_PROVEN
           : answer == HF_KUBE_LIST_MISSPELT && !late ? HF_KUBE_FROM_STORE
                                                      : HF_KUBE_DOUBTFUL;
}

/* ---- may the cloud list it? -------------------------------------------------------------------------------------- */

int hf_kube_review_start(struct hf_kube *kube, const struct hf_resource *resource,
                         const struct hf_exchange_owner *owner, struct hf_exchange **ret_exchange)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(1024), body = HF_BUF_INIT(1024);
    int r = hf_review_url(kube->p.config->server, &url);

    if (r == 0)
        r = hf_review_body(resource, &body);
    struct hf_http_request request = {.method = "POST",
                                      .url = hf_buf_str(&url),
                                      .headers = {"Content-Type: application/json", "Accept: application/json"},
                                      .body = hf_buf_view(&body),
                                      .timeout_ns = HF_KUBE_PROBE_NS};
    return r < 0 ? r : hf_exchange_start(kube->p.http, &request, owner, ret_exchange, NULL);
}

int hf_kube_probe_review(struct hf_kube *kube, const struct hf_exchange_owner *owner)
{
    return hf_kube_review_start(kube, kube->probed->resource, owner, &kube->probe);
}

/* Allowed, and still from the store: the first time this may be a right that was given at this moment. */
static enum hf_prober_event judge(struct hf_kube_subscription *sub, enum hf_review review)
{
    bool again = sub->unexplained;

    sub->unexplained = review == HF_REVIEW_ALLOWED;
    sub->served &= review == HF_REVIEW_UNANSWERED; /* the cloud is there: another's list proves nothing for this one */
    return review == HF_REVIEW_FORBIDDEN || (review == HF_REVIEW_ALLOWED && again) ? HF_PROBER_BARRED
                                                                                   : HF_PROBER_DOUBTFUL;
}

enum hf_prober_event hf_kube_probe_judge(struct hf_kube *kube, enum hf_review review, struct hf_err *err)
{
    struct hf_kube_subscription *sub = kube->probed;

    if (kube->reviews_watch && review == HF_REVIEW_ALLOWED && sub != NULL && !sub->dead) {
        sub->may_watch = sub->wants_probe = true; /* its LIST follows */
        return HF_PROBER_PROVEN;
    }
    enum hf_prober_event event = sub != NULL && !sub->dead ? judge(sub, review) : HF_PROBER_DOUBTFUL;

    if (event == HF_PROBER_BARRED)
        hf_review_explain(review, sub->resource, err);
    else
        explain_store(err);
    return event;
}
