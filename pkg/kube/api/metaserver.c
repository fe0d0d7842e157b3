/* SPDX-License-Identifier: Apache-2.0 */
/* The prober (rules/prober.h) chooses the moment of a LIST, choose() the subscription, probe_take() judges the answer.
 * A proven LIST ends a round of its subscription: the only place where, behind a MetaServer, an object is reported as
 * gone. All the others want a LIST, too, after a reconnect, because the store keeps what was deleted meanwhile.
 *
 * A LIST that the store answered at once may mean that the cloud is away, or that CloudCore may not list the kind. A
 * review, which is a create and so never answered by the store, tells the two apart. "Allowed" twice in a row, and
 * still from the store, means that the API server does not have the kind.
 *
 * For an object in a namespace the review comes before the first LIST and watch, because a watch that CloudCore may not
 * make stops it for all nodes.
 *
 * Events of a watch are believed if the cloud is proven and the replay of the store is over; else they only make the
 * prober ask. Contact is one for all: the last LIST says if the cloud is there. But a subscription whose own LIST the
 * cloud has never answered is not told that it is. */
#include "kube/api/metaserver.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "kube/api/client.h"
#include "kube/api/rules.h"

/* review, and LIST, which lasts 10 s while the cloud is away */
/* a slower answer proves contact only by the spelling of a `provable` kind */
#define HF_KUBE_LATE_NS (5 * HF_NS_PER_S)
#define HF_KUBE_PROBE_NS (15 * HF_NS_PER_S)

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

/* ---- contact ---------------------------------------------------------------------------------------------------- */

static void report_contact_to_all(struct hf_kube *kube, enum hf_contact_kind kind, const struct hf_err *err)
{
    bool proven = kind == HF_CONTACT_PROVEN;

    hf_log(kube->p.world.log, proven ? HF_LOG_INFO : HF_LOG_WARNING, proven ? "kube.proven" : "kube.lost",
           HF_S("server", kube->p.config->server), HF_S("error", err != NULL ? err->cause : ""));
    kube->meta.reported = proven ? HF_KUBE_REPORTED_PROVEN : HF_KUBE_REPORTED_LOST;
    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;)
        if (!proven || sub->meta.served)
            hf_kube_report_contact(sub, kind, 0, err);
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

    assert(kube->meta.probe == NULL); /* each may take 10 s: one at a time */
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
                         HF_UNUSED const struct hf_err *why)
{
    struct hf_kube *kube = arg;
    struct hf_err err = HF_ERR_INIT;
    enum hf_review review = r < 0 ? HF_REVIEW_UNANSWERED : hf_review_take(response->status, body);

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
        hf_log_err(sub->kube->p.world.log, HF_LOG_ERROR, "kube.barred", "kind", sub->resource->kind, err);
    sub->meta.barred = true;
    sub->meta.served = false;
    hf_kube_dispatch(sub, HF_RF_STOP, 0, NULL); /* for the reason at begin_list() */
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
                                                probe_has_others(kube), kube->p.retry_cap_ns, kube->p.world.rng);

    if ((step.effects & HF_PROBER_SET_TIMER) != 0)
        hf_timer_arm(kube->p.world.sched, kube->meta.timer, step.delay_ns);
    else if (kube->meta.prober.state != HF_PROBER_RESTING)
        hf_timer_disarm(kube->p.world.sched, kube->meta.timer);
    note_wants(kube, step.effects);
    if ((step.effects & HF_PROBER_REPORT_BARRED) != 0 && kube->meta.probed != NULL)
        report_barred(kube->meta.probed, err);
    if ((step.effects & HF_PROBER_REPORT_PROVEN) != 0)
        hf_kube_reached(kube); /* for watches that failed to open */
    if ((step.effects & HF_PROBER_REPORT_LOST) != 0) {
        if (kube->meta.probed != NULL)
            kube->meta.probed->meta.wants_probe = true;
        if (kube->meta.reported != HF_KUBE_REPORTED_LOST)
            report_contact_to_all(kube, HF_CONTACT_LOST, err);
    }
    if ((step.effects & HF_PROBER_ASK) != 0)
        start_probe(kube);
}

static void want_list(struct hf_kube_subscription *sub)
{
    if (sub->dead)
        return;
    sub->meta.wants_probe = true;
    dispatch_probe(sub->kube, HF_PROBER_WANT, NULL);
}

static void begin_list(struct hf_kube_subscription *sub)
{
    if (!sub->meta.begun)
        want_list(sub);
    sub->meta.begun = true;
}

static void cloud_sign(struct hf_kube *kube)
{
    dispatch_probe(kube, HF_PROBER_SIGN, NULL);
}

static void write_failed(struct hf_kube *kube)
{
    struct hf_kube_subscription *first = hf_kube_next(kube, NULL);

    if (kube->meta.prober.proven && first != NULL)
        want_list(first);
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
    hf_exchange_close(hf_steal(kube->meta.probe));
    kube->meta.prober.state = HF_PROBER_QUIET;
    if (probe_next(kube) != NULL)
        dispatch_probe(kube, HF_PROBER_WANT, NULL);
}

/* ---- the rules -------------------------------------------------------------------------------------------------- */

static bool may_begin(struct hf_kube_subscription *sub)
{
    if (!sub->meta.served)
        begin_list(sub);
    return sub->meta.served;
}

static void relist(struct hf_kube_subscription *sub)
{
    sub->next.relist = true;
    want_list(sub);
}

/* Lost: is the cloud away? Open: only another LIST shows deletions between the LIST and the watch. */
static void contact_changed(struct hf_kube_subscription *sub, unsigned effects, HF_UNUSED const struct hf_err *err)
{
    if ((effects & HF_RF_REPORT_LOST) != 0 || ((effects & HF_RF_REPORT_PROVEN) != 0 && sub->resource->provable))
        want_list(sub);
}

/* The store spells the list kinds of one word right, but a store without such objects knows no version. */
static bool is_from_store(const struct hf_kube_subscription *sub, const char *version, struct hf_err *err)
{
    if (sub->resource->provable || *version != '\0')
        return false;
    (void)hf_err_set(err, ESTALE,
                     "the %s has no resourceVersion, so it came from a local store and not from the API server",
                     sub->resource->list_kind);
    return true;
}

/* The MetaServer's Date is this node's own clock: it does not show skew, so the report has none. */
static void served(struct hf_kube_subscription *sub, HF_UNUSED uint64_t date_unix_ns)
{
    sub->meta.barred = false;
    sub->meta.served = true;
    if (sub->kube->meta.reported != HF_KUBE_REPORTED_PROVEN)
        report_contact_to_all(sub->kube, HF_CONTACT_PROVEN, NULL);
    else
        hf_kube_report_contact(sub, HF_CONTACT_PROVEN, 0, NULL);
}

/* After the replay of the store only the cloud changes it. */
static bool replay_is_over(const struct hf_kube_subscription *sub)
{
    return hf_kube_now_ns(sub->kube) >= sub->meta.replay_until_ns;
}

static void look_at_cloud(struct hf_kube_subscription *sub)
{
    if (replay_is_over(sub))
        cloud_sign(sub->kube);
    want_list(sub);
}

static void report_change(struct hf_kube_subscription *sub, const struct hf_watch_event *event,
                          enum hf_ledger_change change)
{
    switch (change) {
    case HF_LEDGER_UPSERT:
        hf_kube_report_upsert(sub, event->object);
        break;
    case HF_LEDGER_GONE:
        hf_kube_report_gone(sub, event->name);
        break;
    case HF_LEDGER_OLD: /* the store is behind the lists that it passes on, and each new watch replays it */
        hf_kube_count_doubt(sub->kube, "old-object");
        break;
    case HF_LEDGER_GHOST:
        hf_kube_count_doubt(sub->kube, "ghost");
        break;
    case HF_LEDGER_UNSURE:
        look_at_cloud(sub);
        break;
    case HF_LEDGER_NOTHING:
        break;
    }
}

/* The event may come from the store. Of an object that cannot be parsed, only a list shows what the cloud has. */
static void object(struct hf_kube_subscription *sub, const struct hf_watch_event *event,
                   HF_UNUSED struct hf_kube_outcome *outcome)
{
    uint64_t version = hf_kube_version_number(event->resource_version);
    bool deleted = event->type == HF_WATCH_DELETED, live = sub->kube->meta.prober.proven && replay_is_over(sub);
    enum hf_ledger_change change = HF_LEDGER_NOTHING;

    if (event->object == NULL && !deleted) {
        if (!hf_kube_is_unreadable(sub, event->name, version))
            look_at_cloud(sub);
        return;
    }
    int r = hf_ledger_meta_event(&sub->ledger, event->name, version, deleted, live, &change);
    if (r < 0)
        hf_kube_watch_refuse(sub, event, r);
    else
        report_change(sub, event, change);
}

/* While the cloud is away a write takes 10 s or more and ends in 500, and a read gets old state. */
static bool may_write(struct hf_kube *kube)
{
    return kube->meta.prober.proven || hf_kube_next(kube, NULL) == NULL;
}

const struct hf_kube_rules hf_kube_metaserver_rules = {
    .only_watch = true,
    .may_begin = may_begin,
    .refresh = want_list,
    .relist = relist,
    .restored = relist,
    .contact_changed = contact_changed,
    .is_from_store = is_from_store,
    .served = served,
    .object = object,
    .may_write = may_write,
    .write_failed = write_failed,
    .written = cloud_sign,
    .network_up = cloud_sign,
};
