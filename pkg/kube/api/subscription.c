/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "kube/api/client.h"

void hf_kube_subscription_turn(struct hf_kube_subscription *sub)
{
    struct hf_err err = HF_ERR_INIT;

    if (sub->reflector.state == HF_RF_IDLE && sub->kube->rules->may_begin(sub))
        hf_kube_dispatch(sub, *sub->version != '\0' ? HF_RF_RESUME : HF_RF_START, 0, NULL);
    if (sub->start_error < 0 && !sub->dead) {
        int r = sub->start_error;
        sub->start_error = 0;
        (void)hf_err_sys(&err, r, "%s: start a call", sub->resource->kind);
        hf_kube_dispatch(sub, HF_RF_GARBAGE, 0, &err);
    }
    if (sub->next.relist && sub->reflector.state == HF_RF_WATCHING && !sub->kube->rules->only_watch && !sub->dead)
        hf_kube_dispatch(sub, HF_RF_BACKWARDS, 0, NULL);
    bool refreshed = sub->refreshed && !sub->dead;
    sub->refreshed = false;
    if (refreshed && sub->reflector.state == HF_RF_WATCHING) { /* else contact was lost since the refresh */
        hf_kube_report_contact(sub, HF_CONTACT_PROVEN, 0, NULL);
        hf_kube_report_version(sub);
    }
}

void hf_kube_subscription_refresh(struct hf_kube_subscription *sub)
{
    if (!sub->dead)
        sub->kube->rules->refresh(sub);
}

void hf_kube_subscription_relist(struct hf_kube_subscription *sub)
{
    if (!sub->dead)
        sub->kube->rules->relist(sub);
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

/* Finds the description of what the subscription follows. */
static int choose_resource(struct hf_kube_subscription *sub, const struct hf_kube_target *target, struct hf_err *err)
{
    bool valid = (target->name == NULL || *target->name != '\0') && strlen(target->resume) < HF_RV_TEXT;
    int r = 0;

    if (target->ns == NULL) {
        sub->resource = hf_resource_find(target->kind);
    } else if (target->name != NULL) {
        sub->own_ns = strdup(target->ns);
        r = sub->own_ns == NULL ? -ENOMEM : hf_resource_in(target->kind, sub->own_ns, &sub->own, &sub->own_path);
        sub->resource = r == 0 ? &sub->own : NULL;
    }
    if (r == -ENOMEM)
        return hf_err_set(err, ENOMEM, "out of memory");
    return sub->resource != NULL && valid
               ? 0
               : hf_err_set(err, EINVAL, "cannot subscribe to '%s' named '%s' from '%s'", target->kind,
                            target->name != NULL ? target->name : "", target->resume);
}

static int fill(struct hf_kube_subscription *sub, const struct hf_kube_target *target, struct hf_err *err)
{
    const struct hf_sched_ops *sched = sub->kube->p.world.sched;
    int r = choose_resource(sub, target, err);

    if (r < 0)
        return r;
    hf_kube_set_version(sub, target->resume);
    sub->ledger.highest = sub->ledger.baseline = hf_kube_version_number(target->resume);
    sub->timer = hf_timer_new(sched, hf_kube_reflector_timer, sub);
    sub->watch.silence = hf_timer_new(sched, hf_kube_silence_timer, sub);
    r = know_all(sub, target->known, err);
    if (r == 0 && target->name != NULL)
        sub->name = strdup(target->name);
    if (r == 0 && (sub->timer == NULL || sub->watch.silence == NULL || (target->name != NULL && sub->name == NULL)))
        r = hf_err_set(err, ENOMEM, "out of memory");
    return r;
}

int hf_kube_subscription_new(struct hf_kube *kube, const struct hf_kube_target *target,
                             const struct hf_source_sink *sink, struct hf_kube_subscription **ret_sub,
                             struct hf_err *err)
{
    struct hf_kube_subscription *sub = calloc(1, sizeof(*sub));

    if (sub == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    *sub = (struct hf_kube_subscription){.handle = {&kube->ops}, .kube = kube, .sink = *sink};
    hf_list_append(&kube->subscriptions, &sub->link);
    hf_ledger_init(&sub->ledger, kube->p.fleet ? HF_LEDGER_FLEET_OBJECTS : HF_LEDGER_MAX_OBJECTS);
    sub->unreadable = (struct hf_strmap){.free_value = free};
    hf_watch_stream_init(&sub->watch.stream);
    int r = fill(sub, target, err);
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
    if (sub->dead)
        return;
    sub->dead = true;
    hf_kube_close_call(sub);
    hf_timer_disarm(sub->kube->p.world.sched, sub->timer);
    hf_kube_forget_probe(sub);
    hf_kube_arm_turn(sub->kube);
}

void hf_kube_subscription_free(struct hf_kube_subscription *sub)
{
    const struct hf_sched_ops *sched = sub->kube->p.world.sched;

    hf_exchange_close(sub->exchange);
    hf_timer_free(sched, sub->timer);
    hf_timer_free(sched, sub->watch.silence);
    hf_watch_stream_done(&sub->watch.stream);
    hf_ledger_done(&sub->ledger);
    hf_strmap_done(&sub->unreadable);
    hf_kube_list_forget_pages(sub);
    hf_list_remove(&sub->link);
    free(sub->name);
    free(sub->own_path);
    free(sub->own_ns);
    free(sub);
}
