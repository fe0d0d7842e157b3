/* Behind a MetaServer: one proven LIST at a time, as prober.c decides. A LIST that the store answered at once is followed by the
 * question whether the cloud may make it at all (review.h), in the LIST's place. */
#include <assert.h>
#include <errno.h>

#include "kube/api/client.h"

static void dispatch(struct hf_kube *kube, enum hf_prober_event event, const struct hf_err *err);

static void explain_store(struct hf_err *err)
{
    (void)hf_err_set(
        err, ESTALE,
        "the MetaServer answered from its own store: the cloud did not answer; look at the link, CloudCore, "
        "or modules.dynamicController.enable (docs/KUBEEDGE.md)");
}

/* While the cloud is not proven to be there, only a list that can prove it is worth asking for. */
static bool may_ask_for(const struct hf_subscription *sub)
{
    return sub->wants_probe && (sub->resource->provable || sub->kube->prober.proven);
}

/* The next subscription that wants a LIST, in turn after the one that had the last. */
static struct hf_subscription *next_wanting(struct hf_kube *kube)
{
    for (struct hf_subscription *s = kube->probed; s != NULL && (s = hf_kube_next(kube, s)) != NULL;)
        if (may_ask_for(s))
            return s;
    for (struct hf_subscription *s = NULL; (s = hf_kube_next(kube, s)) != NULL;)
        if (may_ask_for(s))
            return s;
    return NULL;
}

/* Whom to ask for: who wants it, else anybody whose list can prove that the cloud is there. */
static struct hf_subscription *choose(struct hf_kube *kube)
{
    struct hf_subscription *sub = next_wanting(kube);

    for (struct hf_subscription *s = NULL; sub == NULL && (s = hf_kube_next(kube, s)) != NULL;)
        if (s->resource->provable)
            sub = s;
    return sub;
}

static bool has_others(struct hf_kube *kube)
{
    const struct hf_subscription *first = hf_kube_next(kube, NULL);

    return first != NULL && hf_kube_next(kube, first) != NULL;
}

enum answer { ANSWER_DOUBTFUL, ANSWER_PROVEN, ANSWER_FROM_STORE /* at once: the cloud may be there */ };

static void took_proven(struct hf_subscription *sub)
{
    sub->unexplained = false;
    if (sub->dead)
        return;
    hf_kube_arm_turn(sub->kube);               /* its watch may be opened */
    sub->doubtful |= !sub->resource->provable; /* then it may not say that something is gone */
    hf_watcher_end_round(sub);
    sub->ledger.baseline = hf_rv_number(sub->mark);
}

/* Believe a LIST's answer, or say why not. */
static enum answer take_answer(struct hf_subscription *sub, int r, const struct hf_http_response *response,
                               struct hf_view body, struct hf_err *err)
{
    char *next = NULL;

    if (r < 0)
        return ANSWER_DOUBTFUL;
    if (response->status != 200) {
        char text[150];
        (void)hf_err_set(err, EPROTO, "%s: the MetaServer answered %d: %s", sub->resource->kind, response->status,
                         hf_status_message(body, text, sizeof(text)));
        return ANSWER_DOUBTFUL;
    }
    bool late = hf_mono_ns(sub->kube->p.clock) - sub->kube->probe_ns >= HF_KUBE_LATE_NS;
    if (!sub->resource->provable && late) { /* spelled right in any case, but the cloud does not take so long */
        (void)hf_err_set(err, ETIMEDOUT, "%s: the list came too late to be the cloud's", sub->resource->kind);
        return ANSWER_DOUBTFUL;
    }
    hf_ledger_begin(&sub->ledger);
    bool asked = sub->relist;
    sub->relist = false; /* asked for before anything of this answer was told; what asks from here on gets another */
    enum hf_list_answer answer = hf_watcher_take_list(sub, body, 0, &next, err);
    free(next); /* the MetaServer does not page */
    if (answer == HF_LIST_GARBAGE)
        hf_watcher_refused(sub, "list", err);
    if (answer == HF_LIST_MISSPELT)
        explain_store(err);
    if (answer != HF_LIST_PROVEN || sub->dead)
        sub->relist |= asked;
    if (answer == HF_LIST_PROVEN)
        took_proven(sub);
    return answer == HF_LIST_PROVEN              ? ANSWER_PROVEN
           : answer == HF_LIST_MISSPELT && !late ? ANSWER_FROM_STORE
                                                 : ANSWER_DOUBTFUL;
}

/* ---- may the cloud list it? ---------------------------------------------------------------------------------------- */

/* Allowed, and from the store: once may be a right that was given in this moment. */
static enum hf_prober_event judge_review(struct hf_subscription *sub, enum hf_review review)
{
    bool again = sub->unexplained;

    sub->unexplained = review == HF_REVIEW_ALLOWED;
    sub->served &= review == HF_REVIEW_UNANSWERED; /* the cloud is there: another's list proves nothing for this one */
    return review == HF_REVIEW_FORBIDDEN || (review == HF_REVIEW_ALLOWED && again) ? HF_PROBER_BARRED
                                                                                   : HF_PROBER_DOUBTFUL;
}

static void review_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                         const struct hf_err *why)
{
    struct hf_kube *kube = arg;
    struct hf_err err = HF_ERR_INIT;
    enum hf_review review = r < 0 ? HF_REVIEW_UNANSWERED : hf_review_take(response->status, body);

    (void)why;
    kube->probe = NULL;
    hf_kube_count_request(kube, "review", r, response);
    enum hf_prober_event event =
        kube->probed != NULL && !kube->probed->dead ? judge_review(kube->probed, review) : HF_PROBER_DOUBTFUL;
    if (event == HF_PROBER_BARRED)
        hf_review_explain(review, kube->probed->resource, &err);
    else
        explain_store(&err);
    dispatch(kube, event, &err);
}

static int ask_review(struct hf_kube *kube)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(1024), body = HF_BUF_INIT(1024);
    struct hf_exchange_owner owner = {.ended = review_ended, .arg = kube};
    int r = hf_review_url(kube->p.config->server, &url);

    if (r == 0)
        r = hf_review_body(kube->probed->resource, &body);
    struct hf_http_request request = {.method = "POST",
                                      .url = hf_buf_str(&url),
                                      .headers = {"Content-Type: application/json", "Accept: application/json"},
                                      .body = hf_buf_view(&body),
                                      .timeout_ns = HF_KUBE_PROBE_NS};
    return r < 0 ? r : hf_exchange_start(kube->p.http, &request, &owner, &kube->probe, NULL);
}

static void probe_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                        const struct hf_err *why)
{
    struct hf_kube *kube = arg;
    struct hf_err err = HF_ERR_INIT;

    kube->probe = NULL;
    hf_kube_count_request(kube, "probe", r, response);
    if (r < 0 && why != NULL)
        err = *why;
    enum answer answer = kube->probed != NULL ? take_answer(kube->probed, r, response, body, &err) : ANSWER_DOUBTFUL;
    if (answer == ANSWER_FROM_STORE && kube->probed != NULL && ask_review(kube) == 0)
        return;
    dispatch(kube, answer == ANSWER_PROVEN ? HF_PROBER_PROVEN : HF_PROBER_DOUBTFUL, &err);
}

static void ask(struct hf_kube *kube)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(4096);
    struct hf_subscription *sub = choose(kube);
    struct hf_exchange_owner owner = {.ended = probe_ended, .arg = kube};

    if (sub == NULL) {
        kube->prober.state = HF_PROBER_QUIET; /* nobody is left to ask for */
        return;
    }
    kube->probed = sub;
    kube->probe_ns = hf_mono_ns(kube->p.clock);
    sub->wants_probe = false;
    int r = hf_resource_list_url(kube->p.config->server, sub->resource, sub->name, HF_PAGE_PROXY, "", &url);
    struct hf_http_request request = {.method = "GET",
                                      .url = hf_buf_str(&url),
                                      .headers = {"Accept: application/json"},
                                      .timeout_ns = HF_KUBE_PROBE_NS,
                                      .max_body_bytes = HF_KUBE_MAX_LIST_BYTES};
    if (r == 0)
        r = hf_exchange_start(kube->p.http, &request, &owner, &kube->probe, NULL);
    if (r < 0)
        dispatch(kube, HF_PROBER_DOUBTFUL, NULL);
}

static void tell_all(struct hf_kube *kube, enum hf_contact_kind kind, const struct hf_err *err)
{
    bool proven = kind == HF_CONTACT_PROVEN;

    hf_log(kube->p.log, proven ? HF_LOG_INFO : HF_LOG_WARNING, proven ? "kube.proven" : "kube.lost",
           HF_S("server", kube->p.config->server), HF_S("error", err != NULL ? err->cause : ""));
    kube->told = proven ? HF_KUBE_TOLD_PROVEN : HF_KUBE_TOLD_LOST;
    for (struct hf_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;)
        if (!proven || sub->served)
            hf_watcher_tell_contact(sub, kind, 0, err);
}

/* The cloud is there, and this kind is not to be had from it: to its subscriber that is no contact, with the reason. */
static void tell_barred(struct hf_subscription *sub, const struct hf_err *err)
{
    assert(err != NULL);
    hf_kube_count_doubt(sub->kube, err->code == EACCES ? "forbidden" : "missing");
    if (!sub->barred)
        hf_log_err(sub->kube->p.log, HF_LOG_ERROR, "kube.barred", "kind", sub->resource->kind, err);
    sub->barred = true;
    sub->served = false;
    hf_watcher_dispatch(sub, HF_RF_STOP, 0, NULL); /* as hf_meta_begin() says */
    hf_watcher_tell_contact(sub, HF_CONTACT_LOST, 0, err);
}

/* The MetaServer's Date is this node's own clock: it says nothing about skew, and is not passed on. */
void hf_meta_tell_proven(struct hf_subscription *sub)
{
    sub->barred = false;
    sub->served = true;
    if (sub->kube->told != HF_KUBE_TOLD_PROVEN)
        tell_all(sub->kube, HF_CONTACT_PROVEN, NULL);
    else
        hf_watcher_tell_contact(sub, HF_CONTACT_PROVEN, 0, NULL);
}

static void dispatch(struct hf_kube *kube, enum hf_prober_event event, const struct hf_err *err)
{
    struct hf_prober_step step = hf_prober_step(&kube->prober, event, next_wanting(kube) != NULL, has_others(kube),
                                                kube->p.retry_cap_ns, kube->p.rng);

    if ((step.effects & HF_PROBER_SET_TIMER) != 0)
        kube->p.sched->timer_arm(kube->p.sched->ctx, kube->probe_timer, step.delay_ns);
    else if (kube->prober.state != HF_PROBER_RESTING)
        kube->p.sched->timer_disarm(kube->p.sched->ctx, kube->probe_timer);
    if ((step.effects & HF_PROBER_WANT_OTHERS) != 0)
        for (struct hf_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;)
            sub->wants_probe |= sub != kube->probed;
    for (struct hf_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;)
        sub->wants_probe |= (step.effects & HF_PROBER_WANT_BARRED) != 0 && sub->barred;
    if ((step.effects & HF_PROBER_TELL_BARRED) != 0 && kube->probed != NULL)
        tell_barred(kube->probed, err);
    if ((step.effects & HF_PROBER_TELL_PROVEN) != 0)
        hf_kube_nudge_all(kube, HF_KUBE_NUDGE_NS); /* watches that could not be opened */
    if ((step.effects & HF_PROBER_TELL_LOST) != 0) {
        if (kube->probed != NULL)
            kube->probed->wants_probe = true;
        if (kube->told != HF_KUBE_TOLD_LOST)
            tell_all(kube, HF_CONTACT_LOST, err);
    }
    if ((step.effects & HF_PROBER_ASK) != 0)
        ask(kube);
}

void hf_meta_want(struct hf_subscription *sub)
{
    if (sub->dead)
        return;
    sub->wants_probe = true;
    dispatch(sub->kube, HF_PROBER_WANT, NULL);
}

void hf_meta_begin(struct hf_subscription *sub)
{
    if (!sub->begun)
        hf_meta_want(sub);
    sub->begun = true;
}

void hf_meta_sign(struct hf_kube *kube)
{
    dispatch(kube, HF_PROBER_SIGN, NULL);
}

void hf_meta_write_failed(struct hf_kube *kube)
{
    struct hf_subscription *first = hf_kube_next(kube, NULL);

    if (kube->meta && kube->prober.proven && first != NULL)
        hf_meta_want(first);
}

void hf_meta_timer(void *arg)
{
    dispatch(arg, HF_PROBER_TIMER, NULL);
}

void hf_meta_forget(struct hf_subscription *sub)
{
    struct hf_kube *kube = sub->kube;

    if (kube->probed != sub)
        return;
    kube->probed = NULL;
    if (kube->probe == NULL)
        return;
    hf_exchange_close(kube->probe);
    kube->probe = NULL;
    kube->prober.state = HF_PROBER_QUIET;
    if (next_wanting(kube) != NULL)
        dispatch(kube, HF_PROBER_WANT, NULL);
}
