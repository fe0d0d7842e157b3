/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/api/return.h"

#include <assert.h>

#include "kube/api/client.h"

bool hf_kube_return_awaits(const struct hf_kube_subscription *sub)
{
    return sub->reflector.resting == HF_REST_SERVER;
}

static bool has_just_returned(const struct hf_kube *kube)
{
    uint64_t now = hf_kube_now_ns(kube);

    return kube->back.at_ns != 0 && now >= kube->back.at_ns && now - kube->back.at_ns < HF_KUBE_RETURN_NS;
}

bool hf_kube_return_is_ahead(const struct hf_kube *kube)
{
    return kube->back.at_ns > hf_kube_now_ns(kube);
}

/* Returns how many of the subscriptions that wait for the server, except `but`, come before `sub`: the one that has not
 * asked for longest is the first. So a subscription that fails for a reason of its own keeps no other one waiting. */
static uint64_t place_in_line(struct hf_kube *kube, const struct hf_kube_subscription *but,
                              const struct hf_kube_subscription *sub)
{
    uint64_t n = 0;
    bool before = true;

    for (struct hf_kube_subscription *s = NULL; (s = hf_kube_next(kube, s)) != NULL;) {
        before &= s != sub;
        if (s != but && s != sub && hf_kube_return_awaits(s))
            n += s->asked_ns < sub->asked_ns || (s->asked_ns == sub->asked_ns && before);
    }
    return n;
}

/* Sets the timers of the subscriptions that wait, except `but`: one after the other. */
static void line_up(struct hf_kube *kube, const struct hf_kube_subscription *but, uint64_t from_ns, uint64_t each_ns)
{
    const struct hf_sched_ops *sched = kube->p.sched;

    for (struct hf_kube_subscription *s = NULL; (s = hf_kube_next(kube, s)) != NULL;)
        if (s != but && hf_kube_return_awaits(s))
            sched->timer_arm(sched->ctx, s->timer, from_ns + place_in_line(kube, but, s) * each_ns);
}

static uint64_t step_ns(struct hf_kube *kube)
{
    uint64_t most_ns = HF_MIN(kube->fleet_nodes * HF_KUBE_STEP_EACH_NS, HF_KUBE_STEP_NS);

    if (most_ns <= HF_RF_FLOOR_NS)
        return HF_RF_FLOOR_NS;
    return HF_MAX(most_ns - hf_rand_below(kube->p.rng, most_ns / 4 + 1), HF_RF_FLOOR_NS);
}

static uint64_t count_waiting(struct hf_kube *kube, const struct hf_kube_subscription *but)
{
    uint64_t n = 0;

    for (struct hf_kube_subscription *s = NULL; (s = hf_kube_next(kube, s)) != NULL;)
        n += s != but && hf_kube_return_awaits(s);
    return n;
}

/* The subscription that has just asked, and the one that is the last to notice, go to the end of the line. */
uint64_t hf_kube_return_rest_ns(struct hf_kube_subscription *sub, uint64_t delay_ns)
{
    struct hf_kube *kube = sub->kube;
    struct hf_kube_return *back = &kube->back;
    uint64_t now = hf_kube_now_ns(kube);

    if (!kube->rules->takes_turns)
        return delay_ns;
    if (sub->reflector.resting == HF_REST_RELIST && has_just_returned(kube))
        return HF_MIN(delay_ns, step_ns(kube) / 4);
    if (!hf_kube_return_awaits(sub))
        return delay_ns;
    if (back->at_ns <= now) {
        back->at_ns = now + delay_ns;
        back->ready = false;
        line_up(kube, sub, delay_ns, HF_RF_ANSWER_NS);
    }
    assert(back->at_ns > now);
    return back->at_ns - now + count_waiting(kube, sub) * HF_RF_ANSWER_NS;
}

void hf_kube_return_ready(struct hf_kube *kube, const struct hf_kube_subscription *but)
{
    struct hf_kube_return *back = &kube->back;

    back->refusals = 0;
    if (back->ready || !kube->rules->takes_turns)
        return;
    back->ready = true;
    if (count_waiting(kube, but) == 0) {
        back->no_history = false;
        return;
    }
    back->at_ns = hf_kube_now_ns(kube);
    uint64_t step = step_ns(kube);
    line_up(kube, but, step, step);
}

static bool is_proof(enum hf_rf_state from, enum hf_rf_event event)
{
    switch (event) {
    case HF_RF_ACCEPTED:
        return from == HF_RF_ASKING;
    case HF_RF_TIMER:
        return from == HF_RF_WATCHING;
    case HF_RF_PAGE:
    case HF_RF_LISTED:
    case HF_RF_FILLED:
        return true;
    default:
        return false;
    }
}

/* True if the subscription rests for a reason that does not concern the others. */
static bool fails_alone(const struct hf_kube_subscription *sub)
{
    enum hf_rest rest = sub->reflector.resting;

    return rest == HF_REST_BUSY || rest == HF_REST_DENIED || rest == HF_REST_SOON;
}

void hf_kube_return_moved(struct hf_kube_subscription *sub, enum hf_rf_state from, enum hf_rf_event event)
{
    struct hf_kube *kube = sub->kube;
    struct hf_kube_return *back = &kube->back;

    if (!kube->rules->takes_turns)
        return;
    if (is_proof(from, event))
        hf_kube_return_ready(kube, sub);
    else if (event == HF_RF_EXPIRED && (from == HF_RF_OPENING || from == HF_RF_WATCHING))
        back->no_history |= has_just_returned(kube);
    else if (from == HF_RF_WATCHING && hf_kube_return_awaits(sub))
        back->no_history = false; /* the server went away again, and another one may come */
    else if (!back->ready && back->at_ns <= hf_kube_now_ns(kube) && fails_alone(sub))
        line_up(kube, sub, HF_KUBE_FOLLOW_NS, HF_RF_ANSWER_NS);
}

bool hf_kube_return_is_early(struct hf_kube_subscription *sub, enum hf_rf_event event)
{
    if (event != HF_RF_FORBIDDEN && event != HF_RF_BUSY)
        return false;
    return sub->kube->rules->takes_turns && sub->contact.served_once &&
           (hf_kube_return_is_ahead(sub->kube) || has_just_returned(sub->kube)) &&
           sub->kube->back.refusals++ < HF_KUBE_MAX_REFUSALS;
}

bool hf_kube_return_turn(struct hf_kube_subscription *sub)
{
    struct hf_kube_return *back = &sub->kube->back;

    if (!sub->kube->rules->takes_turns || !hf_kube_return_awaits(sub))
        return false;
    back->at_ns = hf_kube_now_ns(sub->kube);
    return back->no_history && sub->reflector.state == HF_RF_RESTING_WATCH;
}
