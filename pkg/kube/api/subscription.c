#include <errno.h>
#include <string.h>

#include "kube/api/client.h"

void hf_kube_subscription_turn(struct hf_kube_subscription *sub)
{
    struct hf_err err = HF_ERR_INIT;

    if (sub->reflector.state == HF_RF_IDLE && sub->kube->meta && !sub->served)
        hf_kube_begin_list(sub);
    else if (sub->reflector.state == HF_RF_IDLE)
        hf_kube_dispatch(sub, *sub->version != '\0' ? HF_RF_RESUME : HF_RF_START, 0, NULL);
    if (sub->start_error < 0 && !sub->dead) {
        int r = sub->start_error;
        sub->start_error = 0;
        (void)hf_err_sys(&err, r, "%s: start a call", sub->resource->kind);
        hf_kube_dispatch(sub, HF_RF_GARBAGE, 0, &err);
    }
    if (sub->relist && sub->reflector.state == HF_RF_WATCHING && !sub->kube->meta && !sub->dead)
        hf_kube_dispatch(sub, HF_RF_BACKWARDS, 0, NULL);
    if (sub->refreshed && !sub->dead) {
        sub->refreshed = false;
        hf_kube_report_contact(sub, HF_CONTACT_PROVEN, 0, NULL);
        hf_kube_report_version(sub);
    }
}

void hf_kube_subscription_refresh(struct hf_kube_subscription *sub)
{
    if (sub->dead)
        return;
    if (sub->kube->meta) {
        hf_kube_want_list(sub);
    } else if (sub->reflector.state == HF_RF_WATCHING && sub->confirm) {
        sub->confirm = false;
        hf_kube_dispatch(sub, HF_RF_BACKWARDS, 0, NULL);
    } else if (sub->reflector.state == HF_RF_WATCHING) {
        sub->refreshed = true;
        hf_kube_arm_turn(sub->kube);
    }
}

/* True if a round comes in any case, or runs and has not reported anything yet: it serves as well. */
static bool round_is_ahead(const struct hf_kube_subscription *sub)
{
    switch (sub->reflector.state) {
    case HF_RF_RESTING_LIST:
        return true;
    case HF_RF_IDLE:
        return *sub->version == '\0';
    case HF_RF_ASKING:
    case HF_RF_FILLING:
    case HF_RF_LISTING:
        return !sub->reported_some;
    default:
        return false;
    }
}

void hf_kube_subscription_relist(struct hf_kube_subscription *sub)
{
    if (sub->dead || (!sub->kube->meta && round_is_ahead(sub)))
        return;
    sub->relist = true;
    if (sub->kube->meta)
        hf_kube_want_list(sub);
    else
        hf_kube_arm_turn(sub->kube);
}

static int know_all(struct hf_kube_subscription *sub, const char *const *known, struct hf_err *err)
{
    for (; known != NULL && *known != NULL; known++) {
        int r = hf_ledger_know(&sub->ledger, *known);
        if (r < 0)
            return hf_err_sys(err, r, "subscribe to %s", sub->resource->kind);
    }
    return 0;
}

int hf_kube_subscription_new(struct hf_kube *kube, const char *kind, const char *name, const char *resume,
                             const char *const *known, const struct hf_source_sink *sink,
                             struct hf_kube_subscription **ret_sub, struct hf_err *err)
{
    const struct hf_resource *resource = hf_resource_find(kind);
    const struct hf_sched_ops *sched = kube->p.sched;

    if (resource == NULL || (name != NULL && *name == '\0') || strlen(resume) >= HF_RV_TEXT)
        return hf_err_set(err, EINVAL, "cannot subscribe to '%s' named '%s' from '%s'", kind, name != NULL ? name : "",
                          resume);
    struct hf_kube_subscription *sub = calloc(1, sizeof(*sub));
    if (sub == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    *sub = (struct hf_kube_subscription){.handle = {&kube->ops}, .kube = kube, .resource = resource, .sink = *sink};
    hf_list_append(&kube->subscriptions, &sub->link);
    hf_ledger_init(&sub->ledger, kube->p.fleet ? HF_LEDGER_FLEET_OBJECTS : HF_LEDGER_MAX_OBJECTS);
    sub->unreadable = (struct hf_strmap){.free_value = free};
    hf_watch_stream_init(&sub->stream);
    hf_kube_set_version(sub, resume);
    sub->ledger.highest = sub->ledger.baseline = hf_kube_version_number(resume);
    sub->timer = sched->timer_new(sched->ctx, hf_kube_reflector_timer, sub);
    sub->silence = sched->timer_new(sched->ctx, hf_kube_silence_timer, sub);
    int r = know_all(sub, known, err);
    if (r == 0 && name != NULL)
        sub->name = strdup(name);
    if (r == 0 && (sub->timer == NULL || sub->silence == NULL || (name != NULL && sub->name == NULL)))
        r = hf_err_set(err, ENOMEM, "out of memory");
    if (r < 0) {
        hf_kube_subscription_free(sub);
        return r;
    }
    hf_kube_arm_turn(kube);
    *ret_sub = sub;
    return 0;
}

void hf_kube_subscription_stop(struct hf_kube_subscription *sub)
{
    const struct hf_sched_ops *sched = sub->kube->p.sched;

    if (sub->dead)
        return;
    sub->dead = true;
    hf_kube_close_call(sub);
    sched->timer_disarm(sched->ctx, sub->timer);
    hf_kube_forget_probe(sub);
    hf_kube_arm_turn(sub->kube);
}

void hf_kube_subscription_free(struct hf_kube_subscription *sub)
{
    const struct hf_sched_ops *sched = sub->kube->p.sched;

    hf_exchange_close(sub->exchange);
    sched->timer_free(sched->ctx, sub->timer);
    sched->timer_free(sched->ctx, sub->silence);
    hf_watch_stream_done(&sub->stream);
    hf_ledger_done(&sub->ledger);
    hf_strmap_done(&sub->unreadable);
    hf_kube_list_forget_pages(sub);
    hf_list_remove(&sub->link);
    free(sub->name);
    free(sub);
}
