/* A subscription's open watch: from bytes to what changed. */
#include <errno.h>
#include <string.h>

#include "kube/api/client.h"

static uint64_t now_ns(const struct hf_subscription *sub)
{
    return hf_mono_ns(sub->kube->p.clock);
}

int hf_watcher_accepted(void *arg, const struct hf_http_response *response)
{
    struct hf_subscription *sub = arg;

    if (!sub->kube->meta && strncmp(response->content_type, "application/json", 16) != 0)
        return -EBADMSG; /* a login page, a proxy's notice; behind a MetaServer an opened watch proves nothing anyway */
    sub->heard_ns = now_ns(sub);
    sub->replay_until_ns = now_ns(sub) + HF_KUBE_REPLAY_NS;
    if (!sub->kube->meta) {
        hf_kube_alive(sub->kube);
        hf_watcher_tell_contact(sub, HF_CONTACT_PROVEN, response->date_unix_ns, NULL);
    }
    hf_watcher_dispatch(sub, HF_RF_ACCEPTED, 0, NULL);
    return 0;
}

/* A bookmark also shows that this server sends bookmarks, so that three missing ones are a silence. */
static void take_bookmark(struct hf_subscription *sub, const struct hf_watch_event *event)
{
    uint64_t version = hf_rv_number(event->resource_version), now = now_ns(sub);
    struct hf_err err = HF_ERR_INIT;

    if (sub->bookmark_ns != 0) {
        sub->gap_ns = HF_MAX(sub->gap_ns, now - sub->bookmark_ns);
        if (sub->silence != NULL)
            sub->kube->p.sched->timer_arm(sub->kube->p.sched->ctx, sub->silence,
                                          HF_MAX(3 * sub->gap_ns, HF_KUBE_SILENCE_MIN_NS));
    }
    sub->bookmark_ns = now;
    if (sub->reflector.state == HF_RF_FILLING) {
        if (!event->initial_end)
            return;
        if (hf_watcher_is_back(sub, version) && !hf_watcher_goes_back(sub, "watch", version, &err)) {
            hf_watcher_dispatch(sub, HF_RF_GARBAGE, 0, &err);
            return;
        }
        (void)snprintf(sub->round_mark, sizeof(sub->round_mark), "%s", event->resource_version);
        hf_watcher_dispatch(sub, HF_RF_FILLED, 0, NULL);
        return;
    }
    if (hf_watcher_is_back(sub, version)) {
        (void)hf_watcher_goes_back(sub, "watch", version, &err);
        hf_watcher_dispatch(sub, HF_RF_BACKWARDS, 0, NULL);
        return;
    }
    sub->ledger.highest = HF_MAX(sub->ledger.highest, version);
    hf_watcher_set_mark(sub, event->resource_version);
    hf_watcher_tell_mark(sub);
}

static void take_verdict(struct hf_subscription *sub, const struct hf_watch_event *event, enum hf_verdict verdict)
{
    struct hf_err err = HF_ERR_INIT;

    switch (verdict) {
    case HF_TELL_UPSERT:
        hf_watcher_tell_upsert(sub, event->object);
        break;
    case HF_TELL_GONE:
        hf_watcher_tell_gone(sub, event->name);
        break;
    case HF_TELL_OLD:
        if (sub->kube->meta) { /* its store is behind the lists that it passes on, and is replayed at each opening */
            hf_kube_count_doubt(sub->kube, "old-object");
            break;
        }
        (void)hf_err_set(&err, ESTALE, "'%s' came in version %s, which is older than the one told before", event->name,
                         event->resource_version);
        hf_watcher_doubt(sub, "old-object", "watch event", &err);
        break;
    case HF_TELL_GHOST:
        hf_kube_count_doubt(sub->kube, "ghost");
        break;
    case HF_TELL_UNSURE:
        if (now_ns(sub) >= sub->replay_until_ns) /* nothing but the cloud changes the store */
            hf_meta_sign(sub->kube);
        hf_meta_want(sub);
        break;
    case HF_TELL_NOTHING:
        break;
    }
}

static void take_meta_object(struct hf_subscription *sub, const struct hf_watch_event *event)
{
    bool live = sub->kube->prober.proven && now_ns(sub) >= sub->replay_until_ns;
    enum hf_verdict verdict = HF_TELL_NOTHING;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_ledger_meta_event(&sub->ledger, event->name, hf_rv_number(event->resource_version),
                                 event->type == HF_WATCH_DELETED, live, &verdict);

    if (r < 0) {
        (void)hf_err_sys(&err, r, "watch event of '%s'", event->name);
        hf_watcher_refused(sub, "watch event", &err);
        return;
    }
    take_verdict(sub, event, verdict);
}

/* A real server never sends what is not newer than the version it was asked from; a proxy that replays its store does. Over TLS
 * it is not taken for a MetaServer so lightly: a backup restored under an open stream looks the same. */
static bool ignores_version(struct hf_subscription *sub, uint64_t version)
{
    struct hf_err err = HF_ERR_INIT;

    if (sub->reflector.state == HF_RF_FILLING || version == 0 || version > sub->asked_version)
        return false;
    if (sub->kube->plain) {
        (void)hf_err_set(&err, ESTALE, "the watch was asked from version %ju and sent %ju",
                         (uintmax_t)sub->asked_version, (uintmax_t)version);
        hf_watcher_doubt(sub, "replay", "watch event", &err);
        hf_kube_recognise_meta(sub->kube, "a watch that replays");
    } else {
        (void)hf_watcher_goes_back(sub, "watch event", version, &err);
        hf_watcher_dispatch(sub, HF_RF_BACKWARDS, 0, &err);
    }
    return true;
}

static void take_object(struct hf_subscription *sub, const struct hf_watch_event *event)
{
    uint64_t version = hf_rv_number(event->resource_version);
    bool deleted = event->type == HF_WATCH_DELETED, filling = sub->reflector.state == HF_RF_FILLING;
    enum hf_verdict verdict = HF_TELL_NOTHING;
    struct hf_err err = HF_ERR_INIT;

    if (ignores_version(sub, version))
        return;
    int r = filling && !deleted ? hf_ledger_item(&sub->ledger, event->name, version, &verdict)
                                : hf_ledger_event(&sub->ledger, event->name, version, deleted, &verdict);
    if (r < 0) {
        (void)hf_err_sys(&err, r, "watch event of '%s'", event->name);
        hf_watcher_refused(sub, "watch event", &err);
        return;
    }
    if (filling && verdict == HF_TELL_OLD) /* the round's end will say that the server is behind */
        return;
    take_verdict(sub, event, verdict);
    if (!filling && verdict != HF_TELL_OLD)
        hf_watcher_set_mark(sub, event->resource_version);
}

static void take_error(struct hf_subscription *sub, const struct hf_watch_event *event)
{
    struct hf_err err = HF_ERR_INIT;
    enum hf_rf_event what = event->code != 0 ? hf_reflector_event_of_status(event->code) : HF_RF_GARBAGE;

    (void)hf_err_set(&err, EPROTO, "%s: the watch ended with %d: %.150s", sub->resource->kind, event->code,
                     event->message);
    hf_watcher_dispatch(sub, what, event->retry_after_ns, &err);
}

static void take_garbage(struct hf_subscription *sub, const struct hf_err *why)
{
    hf_watcher_doubt(sub, "garbage", "watch event", why);
    if (++sub->garbage >= HF_KUBE_MAX_GARBAGE)
        hf_watcher_dispatch(sub, HF_RF_GARBAGE, 0, why);
}

static int watch_event(void *arg, const struct hf_watch_event *event, const struct hf_err *why)
{
    struct hf_subscription *sub = arg;
    const struct hf_exchange *mine = sub->exchange;

    if (event == NULL) {
        take_garbage(sub, why);
    } else {
        sub->garbage = 0;
        if (sub->kube->m_events != NULL)
            hf_metric_add(hf_metric_with(sub->kube->m_events, HF_LABELS(sub->resource->kind)), 1);
        if (event->type == HF_WATCH_ERROR)
            take_error(sub, event);
        else if (event->type == HF_WATCH_BOOKMARK)
            take_bookmark(sub, event);
        else if (sub->kube->meta)
            take_meta_object(sub, event);
        else
            take_object(sub, event);
    }
    return sub->dead || sub->exchange != mine ? -ECANCELED : 0;
}

int hf_watcher_bytes(void *arg, const void *bytes, size_t n)
{
    struct hf_subscription *sub = arg;
    const struct hf_exchange *mine = sub->exchange;

    sub->heard_ns = now_ns(sub);
    hf_kube_heard(sub->kube);
    int r = hf_stream_feed(&sub->stream, bytes, n, watch_event, sub);
    if (r == 0 && sub->exchange == mine && !sub->kube->meta)
        hf_watcher_tell_contact(sub, HF_CONTACT_PROVEN, 0, NULL); /* so that "last contact" stays true */
    return r;
}

void hf_watcher_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                      const struct hf_err *why)
{
    struct hf_subscription *sub = arg;
    bool filling = sub->reflector.state == HF_RF_ASKING || sub->reflector.state == HF_RF_FILLING;

    sub->exchange = NULL;
    hf_kube_count_request(sub->kube, filling ? "watchlist" : "watch", r, response);
    sub->calm = r == 0 && response->status == 200;
    if (sub->calm)
        hf_watcher_dispatch(sub, HF_RF_ENDED, 0, NULL);
    else
        hf_watcher_failed(sub, r, response, body, why);
}

/* Bookmarks came and stopped coming: something between us and the server swallows the stream. */
void hf_watcher_silence_fires(void *arg)
{
    struct hf_subscription *sub = arg;
    uint64_t limit = HF_MAX(3 * sub->gap_ns, HF_KUBE_SILENCE_MIN_NS), quiet = now_ns(sub) - sub->heard_ns;
    struct hf_err err = HF_ERR_INIT;

    if (sub->dead || sub->exchange == NULL)
        return;
    if (quiet < limit) {
        sub->kube->p.sched->timer_arm(sub->kube->p.sched->ctx, sub->silence, limit - quiet);
        return;
    }
    (void)hf_err_set(&err, ETIMEDOUT, "%s: the watch has been silent for %ju s", sub->resource->kind,
                     (uintmax_t)(quiet / HF_NS_PER_S));
    hf_watcher_dispatch(sub, HF_RF_LINK_AWAY, 0, &err);
}
