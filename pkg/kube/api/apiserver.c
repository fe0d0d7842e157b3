/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/api/client.h"

#include <errno.h>

static bool may_begin(HF_UNUSED struct hf_kube_subscription *sub)
{
    return true;
}

static void refresh(struct hf_kube_subscription *sub)
{
    if (sub->reflector.state == HF_RF_WATCHING && sub->next.confirm) {
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
        return !sub->round.reported_some;
    default:
        return false;
    }
}

static void relist(struct hf_kube_subscription *sub)
{
    if (round_is_ahead(sub))
        return;
    sub->next.relist = true;
    hf_kube_arm_turn(sub->kube);
}

static void restored(struct hf_kube_subscription *sub)
{
    hf_kube_list_anew(sub);
    sub->next.twice = true;
}

static void contact_changed(struct hf_kube_subscription *sub, unsigned effects, const struct hf_err *err)
{
    struct hf_kube_silence *silence = &sub->kube->silence;

    if ((effects & HF_RF_REPORT_LOST) != 0) {
        sub->watch.calm = false;
        sub->contact.lost = true;
        if (err != NULL && err->code == EPIPE && silence->ping == NULL)
            hf_pulse_cut(&silence->pulse, hf_kube_now_ns(sub->kube) - silence->heard_ns);
        hf_pulse_reset(&silence->pulse);
        hf_kube_report_contact(sub, HF_CONTACT_LOST, 0, err);
    }
    if ((effects & HF_RF_REPORT_PROVEN) != 0) {
        sub->contact.lost = false;
        sub->contact.served_once = true;
        hf_kube_report_contact(sub, HF_CONTACT_PROVEN, 0, NULL);
        hf_kube_reached(sub->kube);
    }
}

static bool is_from_store(HF_UNUSED const struct hf_kube_subscription *sub, HF_UNUSED const char *version,
                          HF_UNUSED struct hf_err *err)
{
    return false;
}

static void served(struct hf_kube_subscription *sub, uint64_t date_unix_ns)
{
    hf_kube_report_contact(sub, HF_CONTACT_PROVEN, date_unix_ns, NULL);
}

static bool may_write(HF_UNUSED struct hf_kube *kube)
{
    return true;
}

static void ignore(HF_UNUSED struct hf_kube *kube)
{
}

const struct hf_kube_rules hf_kube_apiserver_rules = {
    .speaks_for_itself = true,
    .one_history = true,
    .resumes = true,
    .takes_turns = true,
    .may_begin = may_begin,
    .refresh = refresh,
    .relist = relist,
    .restored = restored,
    .contact_changed = contact_changed,
    .is_from_store = is_from_store,
    .served = served,
    .object = hf_kube_watch_object,
    .may_write = may_write,
    .write_failed = ignore,
    .written = hf_kube_alive,
    .network_up = ignore,
};
