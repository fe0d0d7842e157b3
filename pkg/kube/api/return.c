/* SPDX-License-Identifier: Apache-2.0 */
/* Each client draws a random moment within the fleet's spread, then knocks: asks for one object, or the first of a
 * kind, which a server answers once it has read its RBAC rules. A server fills its cache of a kind only when somebody
 * asks, and answers 429 to its watches meanwhile: so in a large fleet a client knocks for a random kind, in a small one
 * for each of its kinds, and watches a step later. 403, 408, 429, 5xx: another moment.
 *
 * Then the subscriptions ask one by one, more slowly in a large fleet; if one is refused so, all that wait draw another
 * moment. */
#include "kube/api/return.h"

#include <assert.h>

#include "kube/api/client.h"

/* Between two requests of the line: per node, and at most; up to a random quarter is left out. */
#define HF_KUBE_STEP_EACH_NS (16 * HF_NS_PER_MS)
#define HF_KUBE_STEP_NS (16 * HF_NS_PER_S)
/* After an answer refusals and missing history are of the return. */
#define HF_KUBE_RETURN_NS (30 * HF_NS_PER_S)

/* in a row; then it has not just started */
enum { HF_KUBE_MAX_REFUSALS = 3 };

bool hf_kube_return_awaits(const struct hf_kube_subscription *sub)
{
    return sub->reflector.resting == HF_REST_SERVER;
}

static bool has_just_returned(const struct hf_kube *kube)
{
    uint64_t now = hf_kube_now_ns(kube);

    return kube->back.at_ns != 0 && now - kube->back.at_ns < HF_KUBE_RETURN_NS;
}

bool hf_kube_return_is_ahead(const struct hf_kube *kube)
{
    return kube->back.state != HF_RETURN_READY;
}

struct hf_kube_subscription *hf_kube_return_waiting(struct hf_kube *kube, uint64_t n)
{
    struct hf_kube_subscription *sub = NULL;

    while ((sub = hf_kube_next(kube, sub)) != NULL)
        if (hf_kube_return_awaits(sub) && n-- == 0)
            return sub;
    return NULL;
}

uint64_t hf_kube_return_step_ns(struct hf_kube *kube)
{
    uint64_t most_ns = HF_MIN(kube->fleet_nodes * HF_KUBE_STEP_EACH_NS, HF_KUBE_STEP_NS);

    if (most_ns <= HF_RF_FLOOR_NS)
        return HF_RF_FLOOR_NS;
    return HF_MAX(most_ns - hf_rand_below(kube->p.world.rng, most_ns / 4 + 1), HF_RF_FLOOR_NS);
}

void hf_kube_return_forget(struct hf_kube *kube)
{
    struct hf_kube_return *back = &kube->back;

    hf_exchange_close(hf_steal(back->knock));
    hf_timer_disarm(kube->p.world.sched, back->timer);
    back->state = HF_RETURN_READY;
    back->at_ns = hf_kube_now_ns(kube);
}

void hf_kube_return_wait(struct hf_kube *kube, uint64_t delay_ns)
{
    const struct hf_sched_ops *sched = kube->p.world.sched;

    assert(kube->back.knock == NULL);
    for (struct hf_kube_subscription *s = NULL; (s = hf_kube_next(kube, s)) != NULL;)
        if (hf_kube_return_awaits(s))
            hf_timer_disarm(sched, s->timer);
    kube->back.state = HF_RETURN_WAITING;
    hf_timer_arm(sched, kube->back.timer, delay_ns);
}

void hf_kube_return_line_up(struct hf_kube *kube, uint64_t at_ns)
{
    uint64_t step = hf_kube_return_step_ns(kube);

    hf_kube_return_forget(kube);
    for (struct hf_kube_subscription *s = NULL; (s = hf_kube_next(kube, s)) != NULL;) {
        if (!hf_kube_return_awaits(s))
            continue;
        hf_timer_arm(kube->p.world.sched, s->timer, at_ns);
        at_ns += step;
    }
}

uint64_t hf_kube_return_rest_ns(struct hf_kube_subscription *sub, uint64_t delay_ns)
{
    struct hf_kube *kube = sub->kube;

    if (!kube->rules->takes_turns)
        return delay_ns;
    if (sub->reflector.resting == HF_REST_RELIST && has_just_returned(kube))
        return HF_MIN(delay_ns, hf_kube_return_step_ns(kube) / 4);
    if (!hf_kube_return_awaits(sub))
        return delay_ns;
    if (kube->back.state == HF_RETURN_READY)
        hf_kube_return_wait(kube, delay_ns);
    return HF_NEVER;
}

void hf_kube_return_ready(struct hf_kube *kube)
{
    kube->back.refusals = 0;
    if (kube->back.state != HF_RETURN_READY)
        hf_kube_return_line_up(kube, hf_kube_return_step_ns(kube));
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

void hf_kube_return_moved(struct hf_kube_subscription *sub, enum hf_rf_state from, enum hf_rf_event event)
{
    struct hf_kube *kube = sub->kube;
    struct hf_kube_return *back = &kube->back;

    if (!kube->rules->takes_turns)
        return;
    if (is_proof(from, event))
        hf_kube_return_ready(kube);
    else if (event == HF_RF_EXPIRED && (from == HF_RF_OPENING || from == HF_RF_WATCHING))
        back->no_history |= has_just_returned(kube);
    else if (from == HF_RF_WATCHING && hf_kube_return_awaits(sub)) /* it went away again, and another one may come */
        back->no_history = false, back->knocks = 0;
    if (back->state != HF_RETURN_READY && hf_kube_return_waiting(kube, 0) == NULL)
        hf_kube_return_forget(kube);
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
