/* One subscription: makes the calls that reflector.c wants, tells the sink what ledger.c allows. */
#include <errno.h>
#include <string.h>

#include "kube/api/client.h"

enum {
    WATCH_MIN_S = 1800,
    WATCH_MAX_S = 3600,
    FIRST_MIN_S = 60, /* the first after trouble: see client.h, silence */
    FIRST_MAX_S = 180,
    BOOKMARK_S = 60,
    LATE_S = 60, /* a server that does not end the watch when it said it would */
    MAX_URL = 4096,
};

static uint64_t now_ns(const struct hf_subscription *sub)
{
    return hf_mono_ns(sub->kube->p.clock);
}

/* ---- calls --------------------------------------------------------------------------------------------------------- */

static void start_call(struct hf_subscription *sub, const char *url, uint64_t watch_s)
{
    static const struct hf_exchange_owner watch_owner = {
        .accepted = hf_watcher_accepted, .bytes = hf_watcher_bytes, .ended = hf_watcher_ended};
    static const struct hf_exchange_owner list_owner = {.ended = hf_watcher_list_ended};
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

/* A server's bookmarks come about BOOKMARK_S apart, counted from the beginning of each watch. Watches therefore end where their
 * next ones sound evenly spread over that time: the connection is then never silent for long. */
static uint64_t to_its_turn(struct hf_subscription *sub, uint64_t seconds)
{
    uint64_t end = now_ns(sub) / HF_NS_PER_S + seconds + sub->kube->beat_s, turn = 0, n = 0;

    for (const struct hf_subscription *s = NULL; (s = hf_kube_next(sub->kube, s)) != NULL; n++)
        if (s == sub)
            turn = n;
    return seconds + (BOOKMARK_S + turn * BOOKMARK_S / HF_MAX(n, 1u) - end % BOOKMARK_S) % BOOKMARK_S;
}

static uint64_t watch_seconds(struct hf_subscription *sub)
{
    uint64_t least = sub->calm || sub->kube->meta ? WATCH_MIN_S : FIRST_MIN_S;
    uint64_t most = sub->calm || sub->kube->meta ? WATCH_MAX_S : FIRST_MAX_S;

    return to_its_turn(sub, least + hf_rand_below(sub->kube->p.rng, most - least + 1));
}

static void start_list(struct hf_subscription *sub)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(4 * MAX_URL);
    const char *next = sub->next_page != NULL ? sub->next_page : "";
    int r = hf_resource_list_url(sub->kube->p.config->server, sub->resource, sub->name,
                                 sub->small   ? HF_PAGE_SMALL
                                 : sub->exact ? HF_PAGE_EXACT
                                              : HF_PAGE_CACHED,
                                 next, &url);

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

/* ---- the machine's effects ----------------------------------------------------------------------------------------- */

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
        /* Lost: is the cloud away? Open: what was deleted between the LIST and the watch is told by another LIST alone. */
        if ((effects & HF_RF_TELL_LOST) != 0 || ((effects & HF_RF_TELL_PROVEN) != 0 && sub->resource->provable))
            hf_meta_want(sub);
        return;
    }
    if ((effects & HF_RF_TELL_LOST) != 0) {
        sub->calm = false;
        sub->was_lost = true;
        hf_pulse_reset(&sub->kube->pulse);
        hf_watcher_tell_contact(sub, HF_CONTACT_LOST, 0, err);
    }
    if ((effects & HF_RF_TELL_PROVEN) != 0) {
        sub->was_lost = false;
        hf_watcher_tell_contact(sub, HF_CONTACT_PROVEN, 0, NULL);
        hf_kube_nudge_all(sub->kube, HF_KUBE_NUDGE_NS);
    }
}

/* A change of contact is news; each further failure of the same kind is not. */
static void log_move(const struct hf_subscription *sub, enum hf_rf_state from, enum hf_rf_event event,
                     const struct hf_rf_step *step, const struct hf_err *err)
{
    bool known = sub->contact_told && sub->contact == HF_CONTACT_LOST;
    bool lost = (step->effects & HF_RF_TELL_LOST) != 0 && !known;
    bool found = (step->effects & HF_RF_TELL_PROVEN) != 0 && sub->was_lost;
    char text[512] = "";

    hf_log(sub->kube->p.log,
           lost    ? HF_LOG_WARNING
           : found ? HF_LOG_INFO
                   : HF_LOG_DEBUG,
           lost    ? "kube.lost"
           : found ? "kube.found"
                   : "kube.move",
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
        hf_watcher_forget_pages(sub);
    if ((effects & HF_RF_SET_TIMER) != 0)
        sched->timer_arm(sched->ctx, sub->timer, step->delay_ns);
    else
        sched->timer_disarm(sched->ctx, sub->timer);
    tell_contact_change(sub, effects, err);
    if ((effects & HF_RF_END_ROUND) != 0 && !sub->dead)
        hf_watcher_end_round(sub);
    if ((effects & HF_RF_SYNCED) != 0 && !sub->kube->meta)
        hf_watcher_tell_synced(sub);
    if ((effects & HF_RF_REAUTH) != 0)
        hf_kube_reauth(sub->kube);
    if (sub->dead)
        return;
    if ((effects & HF_RF_BEGIN_ROUND) != 0) {
        hf_ledger_begin(&sub->ledger);
        sub->relist = sub->told_some = false;
    }
    if ((effects & (HF_RF_LIST | HF_RF_NEXT_PAGE)) != 0)
        start_list(sub);
    if ((effects & HF_RF_ASK) != 0)
        start_watch(sub, true);
    if ((effects & HF_RF_WATCH) != 0)
        start_watch(sub, false);
    if (sub->relist && sub->reflector.state == HF_RF_WATCHING)
        hf_kube_arm_turn(sub->kube);
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
    hf_kube_count_error(sub->kube, sub->resource->kind, event);
    log_move(sub, from, event, &step, err);
    perform(sub, &step, err);
}

static void timer_fires(void *arg)
{
    struct hf_subscription *sub = arg;
    struct hf_err err = HF_ERR_INIT;

    bool waiting = sub->reflector.state == HF_RF_ASKING || sub->reflector.state == HF_RF_OPENING;
    (void)hf_err_set(&err, ETIMEDOUT, "%s: the watch was not answered", sub->resource->kind);
    hf_watcher_dispatch(sub, HF_RF_TIMER, 0, waiting ? &err : NULL);
}

/* ---- a subscription's life ----------------------------------------------------------------------------------------- */

void hf_watcher_turn(struct hf_subscription *sub)
{
    struct hf_err err = HF_ERR_INIT;

    if (sub->reflector.state == HF_RF_IDLE && sub->kube->meta && !sub->served)
        hf_meta_begin(sub);
    else if (sub->reflector.state == HF_RF_IDLE)
        hf_watcher_dispatch(sub, *sub->mark != '\0' ? HF_RF_RESUME : HF_RF_START, 0, NULL);
    if (sub->start_error < 0 && !sub->dead) {
        int r = sub->start_error;
        sub->start_error = 0;
        (void)hf_err_sys(&err, r, "%s: start a call", sub->resource->kind);
        hf_watcher_dispatch(sub, HF_RF_GARBAGE, 0, &err);
    }
    if (sub->relist && sub->reflector.state == HF_RF_WATCHING && !sub->kube->meta && !sub->dead)
        hf_watcher_dispatch(sub, HF_RF_BACKWARDS, 0, NULL);
    if (sub->refreshed && !sub->dead) {
        sub->refreshed = false;
        hf_watcher_tell_contact(sub, HF_CONTACT_PROVEN, 0, NULL);
        hf_watcher_tell_mark(sub);
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

/* A round comes in any case, or runs and has told nothing yet: it will do. */
static bool round_is_ahead(const struct hf_subscription *sub)
{
    switch (sub->reflector.state) {
    case HF_RF_RESTING_LIST:
        return true;
    case HF_RF_IDLE:
        return *sub->mark == '\0';
    case HF_RF_ASKING:
    case HF_RF_FILLING:
    case HF_RF_LISTING:
        return !sub->told_some;
    default:
        return false;
    }
}

void hf_watcher_relist(struct hf_subscription *sub)
{
    if (sub->dead || (!sub->kube->meta && round_is_ahead(sub)))
        return;
    sub->relist = true;
    if (sub->kube->meta)
        hf_meta_want(sub);
    else
        hf_kube_arm_turn(sub->kube);
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
    hf_watcher_set_mark(sub, resume);
    sub->ledger.highest = sub->ledger.baseline = hf_rv_number(resume);
    sub->timer = sched->timer_new(sched->ctx, timer_fires, sub);
    sub->silence = sched->timer_new(sched->ctx, hf_watcher_silence_fires, sub);
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
    hf_watcher_forget_pages(sub);
    hf_list_remove(&sub->link);
    free(sub->name);
    free(sub);
}
