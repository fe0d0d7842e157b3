/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "kube/api/client.h"

#include "base/encoding/cut.h"

#define HF_KUBE_REPLAY_NS (2 * HF_NS_PER_S)        /* a new watch replays the store for so long */
#define HF_KUBE_SILENCE_MIN_NS (150 * HF_NS_PER_S) /* a silent watch with bookmarks is dead, at least */

enum { HF_KUBE_MAX_GARBAGE = 16 }; /* unusable lines in a row; then the stream has failed */

int hf_kube_watch_begin(struct hf_kube_subscription *sub, const struct hf_http_response *response)
{
    uint64_t now = hf_kube_now_ns(sub->kube);

    sub->meta.replay_until_ns = now + HF_KUBE_REPLAY_NS;
    if (sub->kube->rules->speaks_for_itself) {
        if (strncasecmp(response->content_type, "text/html", 9) == 0)
            return -EREMCHG; /* the login page of a network */
        if (strncmp(response->content_type, "application/json", 16) != 0)
            return -EBADMSG; /* a proxy's notice */
        hf_kube_heard(sub->kube);
        hf_kube_report_contact(sub, HF_CONTACT_PROVEN, response->date_unix_ns, NULL);
    }
    sub->watch.heard_ns = now;
    return 0;
}

uint64_t hf_kube_watch_patience_ns(const struct hf_kube_subscription *sub)
{
    uint64_t limit = HF_MAX(3 * sub->watch.gap_ns, HF_KUBE_SILENCE_MIN_NS);
    uint64_t quiet = hf_kube_now_ns(sub->kube) - sub->watch.heard_ns;

    return quiet < limit ? limit - quiet : 0;
}

/* ---- one event --------------------------------------------------------------------------------------------------- */

static void set_event(struct hf_kube_outcome *outcome, enum hf_rf_event event, const struct hf_err *err)
{
    outcome->event = event;
    outcome->has_err = err != NULL;
    if (err != NULL)
        outcome->err = *err;
}

/* Bookmarks show the rhythm: from the second one on, three missing ones are a silence. */
static void note_bookmark(struct hf_kube_subscription *sub)
{
    uint64_t now = hf_kube_now_ns(sub->kube);

    if (sub->watch.bookmark_ns != 0) {
        sub->watch.gap_ns = HF_MAX(sub->watch.gap_ns, now - sub->watch.bookmark_ns);
        if (sub->watch.silence != NULL)
            hf_timer_arm(sub->kube->p.world.sched, sub->watch.silence,
                         HF_MAX(3 * sub->watch.gap_ns, HF_KUBE_SILENCE_MIN_NS));
    }
    sub->watch.bookmark_ns = now;
}

static void take_bookmark(struct hf_kube_subscription *sub, const struct hf_watch_event *event,
                          struct hf_kube_outcome *outcome)
{
    uint64_t version = hf_kube_version_number(event->resource_version);
    struct hf_err err = HF_ERR_INIT;

    note_bookmark(sub);
    if (sub->reflector.state == HF_RF_FILLING) {
        if (!event->initial_end)
            return;
        if (hf_kube_is_older(sub, version) && !hf_kube_believe_older(sub, "watch", version, &err)) {
            set_event(outcome, HF_RF_GARBAGE, &err);
            return;
        }
        (void)snprintf(sub->round.version, sizeof(sub->round.version), "%s", event->resource_version);
        set_event(outcome, HF_RF_FILLED, NULL);
        return;
    }
    if (hf_kube_is_older(sub, version)) {
        (void)hf_kube_believe_older(sub, "watch", version, &err);
        set_event(outcome, HF_RF_BACKWARDS, NULL);
        return;
    }
    sub->ledger.highest = HF_MAX(sub->ledger.highest, version);
    hf_kube_set_version(sub, event->resource_version);
    hf_kube_report_version(sub);
}

static void report_change(struct hf_kube_subscription *sub, const struct hf_watch_event *event,
                          enum hf_ledger_change change)
{
    struct hf_err err = HF_ERR_INIT;

    assert(change != HF_LEDGER_GHOST && change != HF_LEDGER_UNSURE); /* of a store alone */
    if (change == HF_LEDGER_UPSERT) {
        hf_kube_report_upsert(sub, event->object);
    } else if (change == HF_LEDGER_GONE) {
        hf_kube_report_gone(sub, event->name);
    } else if (change == HF_LEDGER_OLD) {
        (void)hf_err_set(&err, ESTALE, "'%s' came in version %s, which is older than the one reported before",
                         event->name, event->resource_version);
        hf_kube_report_doubt(sub, "old-object", "watch event", &err);
    }
}

void hf_kube_watch_refuse(struct hf_kube_subscription *sub, const struct hf_watch_event *event, int r)
{
    struct hf_err err = HF_ERR_INIT;

    (void)hf_err_sys(&err, r, "watch event of '%s'", event->name);
    hf_kube_report_refused(sub, "watch event", &err);
}

static void take_unreadable(struct hf_kube_subscription *sub, const struct hf_watch_event *event)
{
    uint64_t version = hf_kube_version_number(event->resource_version);

    if (hf_ledger_unreadable(&sub->ledger, event->name, version))
        hf_kube_report_unreadable(sub, event->name, version, event->unreadable);
    else
        hf_kube_count_doubt(sub->kube, "old-object");
}

/* A real server sends only what is newer than the version the watch resumed from; a proxy that replays its store does
 * not. Over TLS this is no proof of a MetaServer: a backup restored under an open stream looks the same. */
static bool ignores_version(struct hf_kube_subscription *sub, uint64_t version, struct hf_kube_outcome *outcome)
{
    struct hf_err err = HF_ERR_INIT;

    if (sub->reflector.state == HF_RF_FILLING || version == 0 || version > sub->watch.asked_version)
        return false;
    if (sub->kube->plain) {
        (void)hf_err_set(&err, ESTALE, "the watch resumed from version %ju and sent %ju",
                         (uintmax_t)sub->watch.asked_version, (uintmax_t)version);
        hf_kube_report_doubt(sub, "replay", "watch event", &err);
        hf_kube_recognise_meta(sub->kube, "a watch that replays");
    } else {
        (void)hf_kube_believe_older(sub, "watch event", version, &err);
        set_event(outcome, HF_RF_BACKWARDS, &err);
    }
    return true;
}

void hf_kube_watch_object(struct hf_kube_subscription *sub, const struct hf_watch_event *event,
                          struct hf_kube_outcome *outcome)
{
    uint64_t version = hf_kube_version_number(event->resource_version);
    bool deleted = event->type == HF_WATCH_DELETED, filling = sub->reflector.state == HF_RF_FILLING;
    enum hf_ledger_change change = HF_LEDGER_NOTHING;

    if (ignores_version(sub, version, outcome))
        return;
    if (event->object == NULL && !deleted) {
        take_unreadable(sub, event);
        if (!filling)
            hf_kube_set_version(sub, event->resource_version);
        return;
    }
    int r = filling && !deleted ? hf_ledger_item(&sub->ledger, event->name, version, &change)
                                : hf_ledger_event(&sub->ledger, event->name, version, deleted, &change);
    if (r < 0) {
        hf_kube_watch_refuse(sub, event, r);
        return;
    }
    if (filling && change == HF_LEDGER_OLD) { /* the end of the round shows if the server is behind, or went back */
        sub->round.contradicted = true;
        return;
    }
    report_change(sub, event, change);
    if (deleted && change != HF_LEDGER_OLD)
        hf_kube_report_readable(sub, event->name);
    if (!filling && change != HF_LEDGER_OLD)
        hf_kube_set_version(sub, event->resource_version);
}

static void take_error(struct hf_kube_subscription *sub, const struct hf_watch_event *event,
                       struct hf_kube_outcome *outcome)
{
    struct hf_err err = HF_ERR_INIT;

    (void)hf_err_set(&err, EPROTO, "%s: the watch ended with %d: %s", sub->resource->kind, event->code,
                     HF_CUT(150, event->message));
    set_event(outcome, event->code != 0 ? hf_reflector_event_of_status(event->code) : HF_RF_GARBAGE, &err);
    outcome->retry_after_ns = event->retry_after_ns;
}

void hf_kube_watch_take(struct hf_kube_subscription *sub, const struct hf_watch_event *event, const struct hf_err *why,
                        struct hf_kube_outcome *ret_outcome)
{
    *ret_outcome = (struct hf_kube_outcome){.event = HF_RF_EVENTS, .err = HF_ERR_INIT};
    if (event == NULL) {
        hf_kube_report_doubt(sub, "garbage", "watch event", why);
        sub->round.doubtful |= sub->reflector.state == HF_RF_FILLING; /* the line may be the event of any object */
        if (why->code == E2BIG) /* the next refresh lists, and a list names the object */
            sub->next.confirm = sub->next.exact = sub->next.too_long = true;
        if (++sub->watch.garbage >= HF_KUBE_MAX_GARBAGE)
            set_event(ret_outcome, HF_RF_GARBAGE, why);
        return;
    }
    sub->watch.garbage = 0;
    if (sub->kube->metrics.events != NULL)
        hf_metric_add(hf_metric_with(sub->kube->metrics.events, HF_LABELS(sub->resource->kind)), 1);
    if (event->type == HF_WATCH_ERROR)
        take_error(sub, event, ret_outcome);
    else if (event->type == HF_WATCH_BOOKMARK)
        take_bookmark(sub, event, ret_outcome);
    else
        sub->kube->rules->object(sub, event, ret_outcome);
}
