/* One subscription: makes the calls that reflector.c wants, tells the sink what ledger.c allows. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "kube/client.h"

enum {
    WATCH_MIN_S = 1800,
    WATCH_MAX_S = 3600,
    FIRST_MIN_S = 60, /* the first after trouble: see client.h, silence */
    FIRST_MAX_S = 240,
    LATE_S = 60, /* a server that does not end the watch when it said it would */
    MAX_URL = 4096,
};

static uint64_t now_ns(const struct hf_subscription *sub)
{
    return hf_mono_ns(sub->kube->p.clock);
}

/* ---- telling the sink --------------------------------------------------------------------------------------------- */

void hf_watcher_refused(struct hf_subscription *sub, const char *what, const struct hf_err *err)
{
    if (!sub->dead && sub->sink.refused != NULL)
        sub->sink.refused(sub->sink.arg, what, err);
}

void hf_watcher_tell_contact(struct hf_subscription *sub, enum hf_contact_kind kind, uint64_t date_unix_ns,
                             const struct hf_err *err)
{
    bool again = sub->contact_told && kind == HF_CONTACT_PROVEN && sub->contact == kind && date_unix_ns == 0;

    if (sub->dead || (again && now_ns(sub) - sub->contact_ns < HF_KUBE_CONTACT_NS))
        return;
    sub->contact_told = true;
    sub->contact = kind;
    sub->contact_ns = now_ns(sub);
    hf_kube_set_contact(sub->kube, kind == HF_CONTACT_PROVEN);
    if (sub->sink.contact != NULL)
        sub->sink.contact(sub->sink.arg, kind, date_unix_ns, err);
}

static void tell_mark(struct hf_subscription *sub)
{
    if (sub->dead || !sub->mark_untold)
        return;
    sub->mark_untold = false;
    if (sub->sink.mark != NULL)
        sub->sink.mark(sub->sink.arg, sub->mark);
}

static void tell_synced(struct hf_subscription *sub)
{
    if (!sub->dead && sub->sink.synced != NULL)
        sub->sink.synced(sub->sink.arg, sub->mark);
}

static void tell_gone(void *arg, const char *name)
{
    struct hf_subscription *sub = arg;

    if (!sub->dead && sub->sink.gone != NULL)
        sub->sink.gone(sub->sink.arg, name);
}

static void tell_upsert(struct hf_subscription *sub, json_t *object)
{
    /* Items of typed lists do not say what they are; the sink should not have to know that. */
    if (json_object_get(object, "kind") == NULL)
        (void)json_object_set_new(object, "kind", json_string(sub->resource->kind));
    if (json_object_get(object, "apiVersion") == NULL)
        (void)json_object_set_new(object, "apiVersion", json_string(sub->resource->api_version));
    if (!sub->dead && sub->sink.upsert != NULL)
        sub->sink.upsert(sub->sink.arg, object);
}

static void set_mark(struct hf_subscription *sub, const char *resource_version)
{
    if (*resource_version == '\0' || strcmp(sub->mark, resource_version) == 0)
        return;
    (void)snprintf(sub->mark, sizeof(sub->mark), "%s", resource_version);
    sub->mark_untold = true;
}

/* ---- doubts ------------------------------------------------------------------------------------------------------- */

static void doubt(struct hf_subscription *sub, const char *reason, const char *what, const struct hf_err *err)
{
    hf_kube_count_doubt(sub->kube, reason);
    hf_log_err(sub->kube->p.log, HF_LOG_WARNING, "kube.doubt", "kind", sub->resource->kind, err);
    hf_watcher_refused(sub, what, err);
}

/* From here on the server's versions count, though they are behind what was told: a backup was restored. What this answer lacks
 * is gone only when a later, undoubted one lacks it too. */
static void believe_the_past(struct hf_subscription *sub, uint64_t version)
{
    hf_ledger_rewind(&sub->ledger, version);
    sub->doubtful = true;
}

/* The server's history is behind what it told us before. The first time its cache is suspected, and the store itself is asked
 * next; true when this was the store's answer, or a MetaServer's, which has no other. */
static bool goes_back(struct hf_subscription *sub, const char *what, uint64_t version, struct hf_err *err)
{
    (void)hf_err_set(err, ESTALE, "resourceVersion went back from %ju to %ju%s", (uintmax_t)sub->ledger.highest,
                     (uintmax_t)version, sub->exact ? "; the store itself says so" : "");
    doubt(sub, "went-back", what, err);
    if (!sub->exact && !sub->kube->meta) {
        sub->exact = true;
        return false;
    }
    believe_the_past(sub, version);
    return true;
}

static bool is_back(const struct hf_subscription *sub, uint64_t version)
{
    /* Behind a MetaServer lists and events come by different ways: a list is compared with lists. */
    return version != 0 && version < (sub->kube->meta ? sub->ledger.baseline : sub->ledger.highest);
}

/* ---- lists -------------------------------------------------------------------------------------------------------- */

static void take_item(struct hf_subscription *sub, json_t *item)
{
    const char *name = hf_json_str_or(item, "metadata.name", "");
    struct hf_err err = HF_ERR_INIT;
    enum hf_verdict verdict;
    int r = -EBADMSG;

    if (*name != '\0')
        r = hf_ledger_item(&sub->ledger, name, hf_rv_number(hf_json_str_or(item, "metadata.resourceVersion", "")),
                           &verdict);
    if (r < 0) {
        (void)hf_err_sys(&err, r, "list item '%s'", name);
        hf_watcher_refused(sub, "list item", &err);
    } else if (verdict == HF_TELL_UPSERT) {
        tell_upsert(sub, item);
    }
}

enum hf_list_answer hf_watcher_take_list(struct hf_subscription *sub, struct hf_view body, uint64_t date_unix_ns,
                                         char **ret_next, struct hf_err *err)
{
    static const struct hf_json_limits limits = {.max_bytes = HF_KUBE_MAX_LIST_BYTES,
                                                 .max_nodes = HF_KUBE_MAX_LIST_NODES};
    _cleanup_(hf_json_freep) json_t *root = NULL;

    if (hf_json_parse(body, &limits, &root, err) < 0) {
        (void)hf_err_wrap(err, -EBADMSG, "list of %s", sub->resource->kind);
        return HF_LIST_GARBAGE;
    }
    const char *kind = hf_json_str_or(root, "kind", ""), *wanted = sub->resource->list_kind;
    const char *version = hf_json_str_or(root, "metadata.resourceVersion", "");
    json_t *items = json_object_get(root, "items");
    if (strcmp(kind, wanted) != 0 && strcasecmp(kind, wanted) == 0) {
        (void)hf_err_set(err, ESTALE, "list kind is spelled '%s', not '%s': a local store answered", kind, wanted);
        return HF_LIST_MISSPELT;
    }
    if (strcmp(kind, wanted) != 0 || (items != NULL && !json_is_array(items) && !json_is_null(items)) ||
        *version == '\0' || strlen(version) >= HF_RV_TEXT) {
        (void)hf_err_set(err, EBADMSG, "not a %s: kind '%.60s', resourceVersion '%.40s'", wanted, kind, version);
        return HF_LIST_GARBAGE;
    }
    if (is_back(sub, hf_rv_number(version)) && !goes_back(sub, "list", hf_rv_number(version), err))
        return HF_LIST_BACKWARDS;
    char *next = strdup(hf_json_str_or(root, "metadata.continue", ""));
    if (next == NULL) {
        (void)hf_err_set(err, ENOMEM, "out of memory");
        return HF_LIST_GARBAGE;
    }
    (void)snprintf(sub->round_mark, sizeof(sub->round_mark), "%s", version);
    if (sub->kube->meta)
        hf_meta_tell_proven(sub);
    else
        hf_watcher_tell_contact(sub, HF_CONTACT_PROVEN, date_unix_ns, NULL);
    for (size_t i = 0; i < json_array_size(items) && !sub->dead; i++)
        take_item(sub, json_array_get(items, i));
    *ret_next = next;
    return HF_LIST_PROVEN;
}

void hf_watcher_end_round(struct hf_subscription *sub)
{
    bool doubtful = sub->doubtful;

    set_mark(sub, sub->round_mark);
    hf_ledger_end(&sub->ledger, hf_rv_number(sub->round_mark), doubtful ? NULL : tell_gone, sub);
    sub->confirm = doubtful;
    sub->doubtful = false;
    sub->exact = false;
    tell_synced(sub);
    tell_mark(sub);
}

static void forget_pages(struct hf_subscription *sub)
{
    free(sub->next_page);
    sub->next_page = NULL;
    sub->pages = 0;
}

static void page_taken(struct hf_subscription *sub, char *next)
{
    free(sub->next_page);
    sub->next_page = next;
    if (*next != '\0' && ++sub->pages < HF_KUBE_MAX_PAGES) {
        hf_watcher_dispatch(sub, HF_RF_PAGE, 0, NULL);
        return;
    }
    forget_pages(sub);
    hf_watcher_dispatch(sub, HF_RF_LISTED, 0, NULL);
}

/* What went wrong, as the machine's event; *err holds the server's own words where it sent some. */
static void failed(struct hf_subscription *sub, int r, const struct hf_http_response *response, struct hf_view body,
                   const struct hf_err *why)
{
    struct hf_err err = HF_ERR_INIT;
    char text[150];

    if (r < 0) {
        if (r == -E2BIG) /* a list of everything is too much: in pages, from the store */
            sub->exact = true;
        hf_watcher_dispatch(sub, hf_reflector_event_of_error(r), 0, why);
        return;
    }
    (void)hf_err_set(&err,
                     response->status == 403   ? EACCES
                     : response->status == 404 ? ENOENT
                                               : EPROTO,
                     "%s: the server answered %d: %s", sub->resource->kind, response->status,
                     hf_status_message(body, text, sizeof(text)));
    enum hf_rf_event event = hf_reflector_event_of_status(response->status);
    if (event == HF_RF_FORBIDDEN || event == HF_RF_MISSING || event == HF_RF_GARBAGE)
        hf_watcher_refused(sub, "answer", &err);
    hf_watcher_dispatch(sub, event, response->retry_after_ns, &err);
}

static void list_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                       const struct hf_err *why)
{
    struct hf_subscription *sub = arg;
    struct hf_err err = HF_ERR_INIT;
    char *next = NULL;

    sub->exchange = NULL;
    hf_kube_count_request(sub->kube, "list", r, response);
    if (r < 0 || response->status != 200) {
        failed(sub, r, response, body, why);
        return;
    }
    switch (hf_watcher_take_list(sub, body, response->date_unix_ns, &next, &err)) {
    case HF_LIST_PROVEN:
        if (!sub->dead)
            page_taken(sub, hf_steal(next));
        free(next);
        break;
    case HF_LIST_MISSPELT:
        doubt(sub, "misspelt", "list", &err);
        hf_kube_recognise_meta(sub->kube, "misspelt list kind");
        hf_watcher_dispatch(sub, HF_RF_GARBAGE, 0, &err);
        break;
    case HF_LIST_BACKWARDS:
        hf_watcher_dispatch(sub, HF_RF_GARBAGE, 0, &err);
        break;
    case HF_LIST_GARBAGE:
        doubt(sub, "garbage", "list", &err);
        hf_watcher_dispatch(sub, HF_RF_GARBAGE, 0, &err);
        break;
    }
}

/* ---- the watch ---------------------------------------------------------------------------------------------------- */

static int watch_accepted(void *arg, const struct hf_http_response *response)
{
    struct hf_subscription *sub = arg;

    if (strncmp(response->content_type, "application/json", 16) != 0)
        return -EBADMSG; /* a login page, a proxy's notice */
    sub->heard_ns = now_ns(sub);
    sub->replay_until_ns = now_ns(sub) + HF_KUBE_REPLAY_NS;
    if (!sub->kube->meta)
        hf_watcher_tell_contact(sub, HF_CONTACT_PROVEN, response->date_unix_ns, NULL);
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
        if (is_back(sub, version) && !goes_back(sub, "watch", version, &err)) {
            hf_watcher_dispatch(sub, HF_RF_GARBAGE, 0, &err);
            return;
        }
        (void)snprintf(sub->round_mark, sizeof(sub->round_mark), "%s", event->resource_version);
        hf_watcher_dispatch(sub, HF_RF_FILLED, 0, NULL);
        return;
    }
    if (is_back(sub, version)) {
        (void)goes_back(sub, "watch", version, &err);
        hf_watcher_dispatch(sub, HF_RF_BACKWARDS, 0, NULL);
        return;
    }
    sub->ledger.highest = HF_MAX(sub->ledger.highest, version);
    set_mark(sub, event->resource_version);
    tell_mark(sub);
}

static void take_verdict(struct hf_subscription *sub, const struct hf_watch_event *event, enum hf_verdict verdict)
{
    struct hf_err err = HF_ERR_INIT;

    switch (verdict) {
    case HF_TELL_UPSERT:
        tell_upsert(sub, event->object);
        break;
    case HF_TELL_GONE:
        tell_gone(sub, event->name);
        break;
    case HF_TELL_OLD:
        (void)hf_err_set(&err, ESTALE, "'%s' came in version %s, which is older than the one told before", event->name,
                         event->resource_version);
        doubt(sub, "old-object", "watch event", &err);
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
        doubt(sub, "replay", "watch event", &err);
        hf_kube_recognise_meta(sub->kube, "a watch that replays");
    } else {
        (void)goes_back(sub, "watch event", version, &err);
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
        set_mark(sub, event->resource_version);
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
    doubt(sub, "garbage", "watch event", why);
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

static int watch_bytes(void *arg, const void *bytes, size_t n)
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

static void watch_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
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
        failed(sub, r, response, body, why);
}

/* Bookmarks came and stopped coming: something between us and the server swallows the stream. */
static void silence_fires(void *arg)
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

/* ---- calls -------------------------------------------------------------------------------------------------------- */

static void start_call(struct hf_subscription *sub, const char *url, uint64_t watch_s)
{
    static const struct hf_exchange_owner watch_owner = {
        .accepted = watch_accepted, .bytes = watch_bytes, .ended = watch_ended};
    static const struct hf_exchange_owner list_owner = {.ended = list_ended};
    struct hf_http_request request = {.method = "GET", .url = url, .headers = {"Accept: application/json"}};
    struct hf_exchange_owner owner = watch_s > 0 ? watch_owner : list_owner;

    owner.arg = sub;
    if (watch_s > 0) {
        request.timeout_ns = (watch_s + LATE_S) * HF_NS_PER_S;
        request.max_body_bytes = UINT64_MAX;
        request.keepalive_ns = sub->kube->meta ? 0 : HF_KUBE_KEEPALIVE_NS;
    } else {
        request.timeout_ns = HF_KUBE_LIST_NS;
        request.max_body_bytes = HF_KUBE_MAX_LIST_BYTES;
    }
    int r = hf_exchange_start(sub->kube->p.http, &request, &owner, &sub->exchange, NULL);
    if (r < 0) {
        sub->start_error = r;
        hf_kube_arm_turn(sub->kube);
    }
}

static uint64_t watch_seconds(const struct hf_subscription *sub)
{
    uint64_t least = sub->calm || sub->kube->meta ? WATCH_MIN_S : FIRST_MIN_S;
    uint64_t most = sub->calm || sub->kube->meta ? WATCH_MAX_S : FIRST_MAX_S;

    return least + hf_rand_below(sub->kube->p.rng, most - least + 1);
}

static void start_list(struct hf_subscription *sub)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(4 * MAX_URL);
    const char *next = sub->next_page != NULL ? sub->next_page : "";
    int r = hf_resource_list_url(sub->kube->p.config->server, sub->resource, sub->name,
                                 sub->exact ? HF_PAGE_EXACT : HF_PAGE_CACHED, next, &url);

    start_call(sub, r == 0 ? hf_buf_str(&url) : "", 0);
}

static void start_watch(struct hf_subscription *sub, bool fill)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(MAX_URL);
    const char *server = sub->kube->p.config->server, *mark = *sub->mark != '\0' && !sub->kube->meta ? sub->mark : "0";
    uint64_t seconds = watch_seconds(sub);
    int r = fill ? hf_resource_fill_url(server, sub->resource, sub->name, seconds, &url)
                 : hf_resource_watch_url(server, sub->resource, sub->name, mark, seconds, &url);

    hf_stream_done(&sub->stream);
    hf_stream_init(&sub->stream);
    sub->asked_version = fill ? 0 : hf_rv_number(mark);
    sub->garbage = 0;
    sub->bookmark_ns = sub->gap_ns = 0;
    start_call(sub, r == 0 ? hf_buf_str(&url) : "", seconds);
}

/* ---- the machine's effects ---------------------------------------------------------------------------------------- */

static void close_call(struct hf_subscription *sub)
{
    hf_exchange_close(sub->exchange);
    sub->exchange = NULL;
    sub->start_error = 0;
    hf_stream_done(&sub->stream);
    hf_stream_init(&sub->stream);
    sub->kube->p.sched->timer_disarm(sub->kube->p.sched->ctx, sub->silence);
}

/* Contact behind a MetaServer is the prober's to tell; a watch that fails or opens is a reason to look. */
static void tell_contact_change(struct hf_subscription *sub, unsigned effects, const struct hf_err *err)
{
    if (sub->kube->meta) {
        if ((effects & (HF_RF_TELL_LOST | HF_RF_TELL_PROVEN)) != 0)
            hf_meta_want(sub);
        return;
    }
    if ((effects & HF_RF_TELL_LOST) != 0) {
        sub->calm = false;
        hf_pulse_reset(&sub->kube->pulse);
        hf_watcher_tell_contact(sub, HF_CONTACT_LOST, 0, err);
    }
    if ((effects & HF_RF_TELL_PROVEN) != 0) {
        hf_watcher_tell_contact(sub, HF_CONTACT_PROVEN, 0, NULL);
        hf_kube_nudge_all(sub->kube, HF_KUBE_NUDGE_NS);
    }
}

static void log_move(const struct hf_subscription *sub, enum hf_rf_state from, enum hf_rf_event event,
                     const struct hf_rf_step *step, const struct hf_err *err)
{
    char text[512] = "";
    bool loud = (step->effects & HF_RF_TELL_LOST) != 0;

    hf_log(sub->kube->p.log, loud ? HF_LOG_WARNING : HF_LOG_DEBUG, loud ? "kube.lost" : "kube.move",
           HF_S("kind", sub->resource->kind), HF_S("from", hf_rf_state_name(from)), HF_S("on", hf_rf_event_name(event)),
           HF_S("to", hf_rf_state_name(sub->reflector.state)), HF_D("delay_ms", step->delay_ns / HF_NS_PER_MS),
           HF_S("error", err != NULL ? hf_err_text(err, text, sizeof(text)) : ""));
}

static void perform(struct hf_subscription *sub, const struct hf_rf_step *step, const struct hf_err *err)
{
    const struct hf_sched_ops *sched = sub->kube->p.sched;
    unsigned effects = step->effects;

    if ((effects & HF_RF_CLOSE) != 0)
        close_call(sub);
    if ((effects & HF_RF_DROP_ROUND) != 0)
        forget_pages(sub);
    if ((effects & HF_RF_SET_TIMER) != 0)
        sched->timer_arm(sched->ctx, sub->timer, step->delay_ns);
    else
        sched->timer_disarm(sched->ctx, sub->timer);
    tell_contact_change(sub, effects, err);
    if ((effects & HF_RF_END_ROUND) != 0 && !sub->dead)
        hf_watcher_end_round(sub);
    if ((effects & HF_RF_SYNCED) != 0 && !sub->kube->meta)
        tell_synced(sub);
    if ((effects & HF_RF_REAUTH) != 0)
        hf_kube_reauth(sub->kube);
    if (sub->dead)
        return;
    if ((effects & HF_RF_BEGIN_ROUND) != 0)
        hf_ledger_begin(&sub->ledger);
    if ((effects & (HF_RF_LIST | HF_RF_NEXT_PAGE)) != 0)
        start_list(sub);
    if ((effects & HF_RF_ASK) != 0)
        start_watch(sub, true);
    if ((effects & HF_RF_WATCH) != 0)
        start_watch(sub, false);
}

void hf_watcher_dispatch(struct hf_subscription *sub, enum hf_rf_event event, uint64_t retry_after_ns,
                         const struct hf_err *err)
{
    const struct hf_rf_limits limits = hf_kube_limits(sub->kube);
    enum hf_rf_state from = sub->reflector.state;

    if (sub->dead)
        return;
    sub->reflector.no_watchlist |= sub->kube->no_watchlist;
    bool plain = sub->reflector.no_watchlist;
    if (sub->exact) /* the store itself is to be asked */
        sub->reflector.no_watchlist = true;
    struct hf_rf_step step =
        hf_reflector_step(&sub->reflector, event, &limits, now_ns(sub), retry_after_ns, sub->kube->p.rng);
    if (sub->exact)
        sub->reflector.no_watchlist = plain;
    else
        sub->kube->no_watchlist |= sub->reflector.no_watchlist;
    if (!step.taken)
        return;
    log_move(sub, from, event, &step, err);
    perform(sub, &step, err);
}

static void timer_fires(void *arg)
{
    struct hf_subscription *sub = arg;
    struct hf_err err = HF_ERR_INIT;

    (void)hf_err_set(&err, ETIMEDOUT, "%s: the watch was not answered", sub->resource->kind);
    hf_watcher_dispatch(sub, HF_RF_TIMER, 0, &err);
}

/* ---- a subscription's life ---------------------------------------------------------------------------------------- */

void hf_watcher_turn(struct hf_subscription *sub)
{
    struct hf_err err = HF_ERR_INIT;

    if (sub->reflector.state == HF_RF_IDLE) {
        if (sub->kube->meta)
            hf_meta_want(sub);
        hf_watcher_dispatch(sub, *sub->mark != '\0' ? HF_RF_RESUME : HF_RF_START, 0, NULL);
    }
    if (sub->start_error < 0 && !sub->dead) {
        int r = sub->start_error;
        sub->start_error = 0;
        (void)hf_err_sys(&err, r, "%s: start a call", sub->resource->kind);
        hf_watcher_dispatch(sub, HF_RF_GARBAGE, 0, &err);
    }
    if (sub->refreshed && !sub->dead) {
        sub->refreshed = false;
        hf_watcher_tell_contact(sub, HF_CONTACT_PROVEN, 0, NULL);
        tell_mark(sub);
    }
}

void hf_watcher_refresh(struct hf_subscription *sub)
{
    if (sub->dead)
        return;
    if (sub->kube->meta) {
        hf_meta_want(sub);
    } else if (sub->reflector.state == HF_RF_WATCHING && sub->confirm) {
        sub->confirm = false;
        hf_watcher_dispatch(sub, HF_RF_BACKWARDS, 0, NULL);
    } else if (sub->reflector.state == HF_RF_WATCHING) {
        sub->refreshed = true;
        hf_kube_arm_turn(sub->kube);
    }
}

static int know_all(struct hf_subscription *sub, const char *const *known, struct hf_err *err)
{
    for (; known != NULL && *known != NULL; known++) {
        int r = hf_ledger_know(&sub->ledger, *known);
        if (r < 0)
            return hf_err_sys(err, r, "subscribe to %s", sub->resource->kind);
    }
    return 0;
}

int hf_watcher_new(struct hf_kube *kube, const char *kind, const char *name, const char *resume,
                   const char *const *known, const struct hf_source_sink *sink, struct hf_subscription **ret_sub,
                   struct hf_err *err)
{
    const struct hf_resource *resource = hf_resource_find(kind);
    const struct hf_sched_ops *sched = kube->p.sched;

    if (resource == NULL || (name != NULL && *name == '\0') || strlen(resume) >= HF_RV_TEXT)
        return hf_err_set(err, EINVAL, "cannot subscribe to '%s' named '%s' from '%s'", kind, name != NULL ? name : "",
                          resume);
    struct hf_subscription *sub = calloc(1, sizeof(*sub));
    if (sub == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    *sub = (struct hf_subscription){.kube = kube, .resource = resource, .sink = *sink};
    hf_list_append(&kube->subscriptions, &sub->link);
    hf_ledger_init(&sub->ledger);
    hf_stream_init(&sub->stream);
    set_mark(sub, resume);
    sub->ledger.highest = sub->ledger.baseline = hf_rv_number(resume);
    sub->timer = sched->timer_new(sched->ctx, timer_fires, sub);
    sub->silence = sched->timer_new(sched->ctx, silence_fires, sub);
    int r = know_all(sub, known, err);
    if (r == 0 && name != NULL)
        sub->name = strdup(name);
    if (r == 0 && (sub->timer == NULL || sub->silence == NULL || (name != NULL && sub->name == NULL)))
        r = hf_err_set(err, ENOMEM, "out of memory");
    if (r < 0) {
        hf_watcher_free(sub);
        return r;
    }
    hf_kube_arm_turn(kube);
    *ret_sub = sub;
    return 0;
}

void hf_watcher_stop(struct hf_subscription *sub)
{
    const struct hf_sched_ops *sched = sub->kube->p.sched;

    if (sub->dead)
        return;
    sub->dead = true;
    close_call(sub);
    sched->timer_disarm(sched->ctx, sub->timer);
    hf_meta_forget(sub);
    hf_kube_arm_turn(sub->kube);
}

void hf_watcher_free(struct hf_subscription *sub)
{
    const struct hf_sched_ops *sched = sub->kube->p.sched;

    hf_exchange_close(sub->exchange);
    sched->timer_free(sched->ctx, sub->timer);
    sched->timer_free(sched->ctx, sub->silence);
    hf_stream_done(&sub->stream);
    hf_ledger_done(&sub->ledger);
    forget_pages(sub);
    hf_list_remove(&sub->link);
    free(sub->name);
    free(sub);
}
