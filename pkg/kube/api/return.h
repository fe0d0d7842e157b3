/* SPDX-License-Identifier: Apache-2.0 */
/* Returning to a server that was away: the client waits for a random moment, knocks (asks for one object), then lets
 * its subscriptions ask in line. */
#pragma once

#include "kube/rules/reflector.h"
#include "loop/sched.h"

struct hf_exchange;
struct hf_kube;
struct hf_kube_subscription;

/* Spread per node; HF_RF_SPREAD_MAX_NS at most in all. */
#define HF_KUBE_SPREAD_EACH_NS (200 * HF_NS_PER_MS)

enum hf_kube_return_state {
    HF_RETURN_READY, /* the server was never away, or each waiting subscription has a timer */
    HF_RETURN_WAITING,
    HF_RETURN_KNOCKING,
};

struct hf_kube_return {
    enum hf_kube_return_state state;
    struct hf_timer *timer;
    struct hf_exchange *knock;
    unsigned knocks;
    uint64_t at_ns;
    unsigned refusals; /* refusals in a row, by a server that has just started */
    bool no_history;   /* the server cannot resume watches from older versions */
};

bool hf_kube_return_awaits(const struct hf_kube_subscription *sub);
/* Whether the client waits for its moment to knock, or for the answer. */
bool hf_kube_return_is_ahead(const struct hf_kube *kube);
/* Returns how long `sub` rests, instead of the reflector's `delay_ns`. HF_NEVER: until hf_kube_return_line_up(). */
uint64_t hf_kube_return_rest_ns(struct hf_kube_subscription *sub, uint64_t delay_ns);
void hf_kube_return_moved(struct hf_kube_subscription *sub, enum hf_rf_state from, enum hf_rf_event event);
/* Lines up all waiting subscriptions, as the server serves again. */
void hf_kube_return_ready(struct hf_kube *kube);
/* Whether the server refuses because it has just started; true three times in a row at most. */
bool hf_kube_return_is_early(struct hf_kube_subscription *sub, enum hf_rf_event event);
/* Call when a reflector's timer fires. Returns whether `sub` must list, because its old version cannot resume. */
bool hf_kube_return_turn(struct hf_kube_subscription *sub);
void hf_kube_return_forget(struct hf_kube *kube);

void hf_kube_knock_timer(void *arg);
struct hf_kube_subscription *hf_kube_return_waiting(struct hf_kube *kube, uint64_t n);
/* Knocks after `delay_ns`; until then no waiting subscription has a timer. */
void hf_kube_return_wait(struct hf_kube *kube, uint64_t delay_ns);
/* Arms the timers of all waiting subscriptions, one after another; the first fires after `at_ns`. */
void hf_kube_return_line_up(struct hf_kube *kube, uint64_t at_ns);
uint64_t hf_kube_return_step_ns(struct hf_kube *kube);
