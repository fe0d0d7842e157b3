/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/api/metaserver.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "kube/api/client.h"

enum hf_kube_proof {
    HF_KUBE_DOUBTFUL,
    HF_KUBE_PROVEN,
    HF_KUBE_FROM_STORE, /* the store answered so fast that the cloud may be reachable */
};

/* ---- what it is ------------------------------------------------------------------------------------------------- */

/* Behaviour gives away a MetaServer at any other address (list.c, watch.c). */
bool hf_kube_is_meta_address(const char *server)
{
    static const char *const hosts[] = {"127.0.0.1:10550", "localhost:10550", "169.254.30.10:10550", "[::1]:10550"};
    const char *host = strstr(server, "://");

    for (size_t i = 0; host != NULL && i < HF_LEN(hosts); i++)
        if (strcmp(host + 3, hosts[i]) == 0)
            return true;
    return false;
}

void hf_kube_recognise_meta(struct hf_kube *kube, const char *sign)
{
    if (kube->p.api != HF_KUBE_AUTO || kube->is_meta || kube->switch_over)
        return;
    hf_log(kube->p.log, HF_LOG_INFO, "kube.metaserver", HF_S("server", kube->p.config->server), HF_S("sign", sign));
    kube->switch_over = true;
    hf_kube_arm_turn(kube);
}

/* ---- contact ---------------------------------------------------------------------------------------------------- */

void hf_kube_report_contact_to_all(struct hf_kube *kube, enum hf_contact_kind kind, const struct hf_err *err)
{
    bool proven = kind == HF_CONTACT_PROVEN;

    hf_log(kube->p.log, proven ? HF_LOG_INFO : HF_LOG_WARNING, proven ? "kube.proven" : "kube.lost",
           HF_S("server", kube->p.config->server), HF_S("error", err != NULL ? err->cause : ""));
    kube->meta.reported = proven ? HF_KUBE_REPORTED_PROVEN : HF_KUBE_REPORTED_LOST;
    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;)
        if (!proven || sub->meta.served)
            hf_kube_report_contact(sub, kind, 0, err);
}

/* The MetaServer's Date is this node's own clock: it does not show skew, so the report has none. */
void hf_kube_report_served(struct hf_kube_subscription *sub)
{
    sub->meta.barred = false;
    sub->meta.served = true;
    if (sub->kube->meta.reported != HF_KUBE_REPORTED_PROVEN)
        hf_kube_report_contact_to_all(sub->kube, HF_CONTACT_PROVEN, NULL);
    else
        hf_kube_report_contact(sub, HF_CONTACT_PROVEN, 0, NULL);
}

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
    return sub->meta.wants_probe && (sub->resource->provable || sub->kube->meta.prober.proven);
}

static struct hf_kube_subscription *probe_next(struct hf_kube *kube)
{
    for (struct hf_kube_subscription *s = kube->meta.probed; s != NULL && (s = hf_kube_next(kube, s)) != NULL;)
        if (may_send(s))
            return s;
    for (struct hf_kube_subscription *s = NULL; (s = hf_kube_next(kube, s)) != NULL;)
        if (may_send(s))
            return s;
    return NULL;
}

static bool probe_has_others(struct hf_kube *kube)
{
    const struct hf_kube_subscription *first = hf_kube_next(kube, NULL);

    return first != NULL && hf_kube_next(kube, first) != NULL;
}

/* A subscription that wants a LIST, else any whose list can prove that the cloud is there. */
static struct hf_kube_subscription *choose(struct hf_kube *kube)
{
    struct hf_kube_subscription *sub = probe_next(kube);

    for (struct hf_kube_subscription *s = NULL; sub == NULL && (s = hf_kube_next(kube, s)) != NULL;)
        if (s->resource->provable)
            sub = s;
    return sub;
}

static bool needs_review(const struct hf_kube_subscription *sub)
{
    return sub->own_ns != NULL && !sub->meta.may_watch;
}

static int probe_start(struct hf_kube *kube, const struct hf_exchange_owner *owner,
                       const struct hf_exchange_owner *review_owner)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(4096);
    struct hf_kube_subscription *sub = choose(kube);

    if (sub == NULL)
        return -ENOENT;
    kube->meta.probed = sub;
    kube->meta.asked_ns = hf_kube_now_ns(kube);
    sub->meta.wants_probe = false;
    kube->meta.reviews_watch = needs_review(sub);
    if (kube->meta.reviews_watch)
        return hf_kube_review_start(kube, kube->meta.probed->resource, review_owner, &kube->meta.probe);
    int r = hf_resource_list_url(kube->p.config->server, sub->resource, sub->name, HF_PAGE_PROXY, "", &url);
    struct hf_http_request request = {.method = "GET",
                                      .url = hf_buf_str(&url),
                                      .headers = {"Accept: application/json"},
                                      .timeout_ns = HF_KUBE_PROBE_NS,
                                      .max_body_bytes = HF_KUBE_MAX_LIST_BYTES};
    if (r == 0)
        r = hf_exchange_start(kube->p.http, &request, owner, &kube->meta.probe, NULL);
    return r == -ENOENT ? -EIO : r;
}

/* ---- its answer -------------------------------------------------------------------------------------------------- */

static void take_proven(struct hf_kube_subscription *sub)
{
    sub->meta.unexplained = false;
    if (sub->dead)
        return;
    hf_kube_arm_turn(sub->kube);                     /* opens its watch */
    sub->round.doubtful |= !sub->resource->provable; /* then it must not report that an object is gone */
    hf_kube_list_end_round(sub);
    sub->ledger.baseline = hf_kube_version_number(sub->version);
}

static enum hf_kube_proof probe_take(struct hf_kube_subscription *sub, int r, const struct hf_http_response *response,
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
    bool late = hf_kube_now_ns(sub->kube) - sub->kube->meta.asked_ns >= HF_KUBE_LATE_NS;
    if (!sub->resource->provable && late) { /* spelled right in any case, but the cloud does not take so long */
        (void)hf_err_set(err, ETIMEDOUT, "%s: the MetaServer answered too late for the list to come from the cloud",
                         sub->resource->kind);
        return HF_KUBE_DOUBTFUL;
    }
    hf_ledger_begin(&sub->ledger);
    bool wanted = sub->next.relist;
    sub->next.relist = false; /* this answer serves what was wanted before it; a want from here on gets another */
    enum hf_kube_list answer = hf_kube_list_take(sub, body, 0, &next, err);
    free(next); /* the MetaServer does not page */
    if (answer == HF_KUBE_LIST_GARBAGE)
        hf_kube_report_refused(sub, "list", err);
    if (answer == HF_KUBE_LIST_MISSPELT)
        explain_store(err);
    if (answer != HF_KUBE_LIST_PROVEN || sub->dead)
        sub->next.relist |= wanted;
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

/* Allowed, and still from the store: the first time this may be a right that was given at this moment. */
static enum hf_prober_event judge(struct hf_kube_subscription *sub, enum hf_review review)
{
    bool again = sub->meta.unexplained;

    sub->meta.unexplained = review == HF_REVIEW_ALLOWED;
    sub->meta.served &=
        review == HF_REVIEW_UNANSWERED; /* the cloud is there: another's list proves nothing for this one */
    return review == HF_REVIEW_FORBIDDEN || (review == HF_REVIEW_ALLOWED && again) ? HF_PROBER_BARRED
                                                                                   : HF_PROBER_DOUBTFUL;
}

static enum hf_prober_event probe_judge(struct hf_kube *kube, enum hf_review review, struct hf_err *err)
{
    struct hf_kube_subscription *sub = kube->meta.probed;

    if (kube->meta.reviews_watch && review == HF_REVIEW_ALLOWED && sub != NULL && !sub->dead) {
        sub->meta.may_watch = sub->meta.wants_probe = true; /* its LIST follows */
        return HF_PROBER_PROVEN;
    }
    enum hf_prober_event event = sub != NULL && !sub->dead ? judge(sub, review) : HF_PROBER_DOUBTFUL;

    if (event == HF_PROBER_BARRED)
        hf_review_explain(review, sub->resource, err);
    else
        explain_store(err);
    return event;
}

/* ---- the prober -------------------------------------------------------------------------------------------------- */

static void dispatch_probe(struct hf_kube *kube, enum hf_prober_event event, const struct hf_err *err);

static void review_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                         const struct hf_err *why)
{
    struct hf_kube *kube = arg;
    struct hf_err err = HF_ERR_INIT;
    enum hf_review review = r < 0 ? HF_REVIEW_UNANSWERED : hf_review_take(response->status, body);

    (void)why;
    kube->meta.probe = NULL;
    hf_kube_count_request(kube, "review", r, response);
    enum hf_prober_event event = probe_judge(kube, review, &err);
    dispatch_probe(kube, event, &err);
}

static void probe_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                        const struct hf_err *why)
{
    struct hf_kube *kube = arg;
    const struct hf_exchange_owner owner = {.ended = review_ended, .arg = kube};
    enum hf_kube_proof proof = HF_KUBE_DOUBTFUL;
    struct hf_err err = HF_ERR_INIT;

    kube->meta.probe = NULL;
    hf_kube_count_request(kube, "probe", r, response);
    if (r < 0 && why != NULL)
        err = *why;
    if (kube->meta.probed != NULL)
        proof = probe_take(kube->meta.probed, r, response, body, &err);
    if (proof == HF_KUBE_FROM_STORE && kube->meta.probed != NULL &&
        hf_kube_review_start(kube, kube->meta.probed->resource, &owner, &kube->meta.probe) == 0)
        return;
    dispatch_probe(kube, proof == HF_KUBE_PROVEN ? HF_PROBER_PROVEN : HF_PROBER_DOUBTFUL, &err);
}

static void start_probe(struct hf_kube *kube)
{
    const struct hf_exchange_owner owner = {.ended = probe_ended, .arg = kube};
    const struct hf_exchange_owner review_owner = {.ended = review_ended, .arg = kube};
    int r = probe_start(kube, &owner, &review_owner);

    kube->meta.start_error = 0;
    if (r == -ENOENT) {
        kube->meta.prober.state = HF_PROBER_QUIET;
    } else if (r < 0) {
        kube->meta.start_error = r;
        hf_kube_arm_turn(kube);
    }
}

void hf_kube_meta_turn(struct hf_kube *kube)
{
    int r = kube->meta.start_error;
    struct hf_err err = HF_ERR_INIT;

    if (r == 0)
        return;
    kube->meta.start_error = 0;
    (void)hf_err_sys(&err, r, "start a LIST of the MetaServer");
    dispatch_probe(kube, HF_PROBER_DOUBTFUL, &err);
}

/* The cloud is there and does not serve this kind: its subscriber has lost contact, with the reason. */
static void report_barred(struct hf_kube_subscription *sub, const struct hf_err *err)
{
    assert(err != NULL);
    hf_kube_count_doubt(sub->kube, err->code == EACCES ? "forbidden" : "missing");
    if (!sub->meta.barred)
        hf_log_err(sub->kube->p.log, HF_LOG_ERROR, "kube.barred", "kind", sub->resource->kind, err);
    sub->meta.barred = true;
    sub->meta.served = false;
    hf_kube_dispatch(sub, HF_RF_STOP, 0, NULL); /* for the reason at hf_kube_begin_list() */
    hf_kube_report_contact(sub, HF_CONTACT_LOST, 0, err);
}

static void note_wants(struct hf_kube *kube, unsigned effects)
{
    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;) {
        sub->meta.wants_probe |= (effects & HF_PROBER_WANT_OTHERS) != 0 && sub != kube->meta.probed;
        sub->meta.wants_probe |= (effects & HF_PROBER_WANT_BARRED) != 0 && sub->meta.barred;
    }
}

static void dispatch_probe(struct hf_kube *kube, enum hf_prober_event event, const struct hf_err *err)
{
    struct hf_prober_step step = hf_prober_step(&kube->meta.prober, event, probe_next(kube) != NULL,
                                                probe_has_others(kube), kube->p.retry_cap_ns, kube->p.rng);

    if ((step.effects & HF_PROBER_SET_TIMER) != 0)
        kube->p.sched->timer_arm(kube->p.sched->ctx, kube->meta.timer, step.delay_ns);
    else if (kube->meta.prober.state != HF_PROBER_RESTING)
        kube->p.sched->timer_disarm(kube->p.sched->ctx, kube->meta.timer);
    note_wants(kube, step.effects);
    if ((step.effects & HF_PROBER_REPORT_BARRED) != 0 && kube->meta.probed != NULL)
        report_barred(kube->meta.probed, err);
    if ((step.effects & HF_PROBER_REPORT_PROVEN) != 0)
        hf_kube_reached(kube); /* for watches that failed to open */
    if ((step.effects & HF_PROBER_REPORT_LOST) != 0) {
        if (kube->meta.probed != NULL)
            kube->meta.probed->meta.wants_probe = true;
        if (kube->meta.reported != HF_KUBE_REPORTED_LOST)
            hf_kube_report_contact_to_all(kube, HF_CONTACT_LOST, err);
    }
    if ((step.effects & HF_PROBER_ASK) != 0)
        start_probe(kube);
}

void hf_kube_want_list(struct hf_kube_subscription *sub)
{
    if (sub->dead)
        return;
    sub->meta.wants_probe = true;
    dispatch_probe(sub->kube, HF_PROBER_WANT, NULL);
}

void hf_kube_begin_list(struct hf_kube_subscription *sub)
{
    if (!sub->meta.begun)
        hf_kube_want_list(sub);
    sub->meta.begun = true;
}

void hf_kube_cloud_sign(struct hf_kube *kube)
{
    dispatch_probe(kube, HF_PROBER_SIGN, NULL);
}

void hf_kube_write_failed(struct hf_kube *kube)
{
    struct hf_kube_subscription *first = hf_kube_next(kube, NULL);

    if (kube->is_meta && kube->meta.prober.proven && first != NULL)
        hf_kube_want_list(first);
}

void hf_kube_meta_timer(void *arg)
{
    dispatch_probe(arg, HF_PROBER_TIMER, NULL);
}

void hf_kube_forget_probe(struct hf_kube_subscription *sub)
{
    struct hf_kube *kube = sub->kube;

    if (kube->meta.probed != sub)
        return;
    kube->meta.probed = NULL;
    if (kube->meta.probe == NULL)
        return;
    hf_exchange_close(kube->meta.probe);
    kube->meta.probe = NULL;
    kube->meta.prober.state = HF_PROBER_QUIET;
    if (probe_next(kube) != NULL)
        dispatch_probe(kube, HF_PROBER_WANT, NULL);
}
