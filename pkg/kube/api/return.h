/* SPDX-License-Identifier: Apache-2.0 */
/* Returning to a server that was away. */
#pragma once

#include "kube/rules/reflector.h"
#include "loop/sched.h"

struct hf_exchange;
struct hf_kube;
struct hf_kube_subscription;

/* Spread per node, up to HF_RF_SPREAD_MAX_NS: 5 nodes a second return. */
#define HF_KUBE_SPREAD_EACH_NS (200 * HF_NS_PER_MS)

enum hf_kube_return_state {
    HF_RETURN_READY,   /* never away, or each waiting subscription has its moment */
    HF_RETURN_WAITING, /* to knock */
    HF_RETURN_KNOCKING,
};

struct hf_kube_return {
    enum hf_kube_return_state state;
    struct hf_timer *timer;
    struct hf_exchange *knock;
    unsigned knocks;   /* kinds whose knock was answered */
    uint64_t at_ns;    /* last request of a return; 0: never away */
    unsigned refusals; /* in a row */
    bool no_history;   /* watches cannot resume from older versions */
};

/* The subscription waits for the server. */
bool hf_kube_return_awaits(const struct hf_kube_subscription *sub);
/* The client waits for its moment, or its knock's answer. */
bool hf_kube_return_is_ahead(const struct hf_kube *kube);
/* How long `sub` rests; `delay_ns`: the reflector's own delay. HF_NEVER: until its turn in line. */
uint64_t hf_kube_return_rest_ns(struct hf_kube_subscription *sub, uint64_t delay_ns);
/* Call after each move of a reflector. */
void hf_kube_return_moved(struct hf_kube_subscription *sub, enum hf_rf_state from, enum hf_rf_event event);
/* All waiting subscriptions get their moments in line. */
void hf_kube_return_ready(struct hf_kube *kube);
/* True: a server that has just started refuses. Counts such refusals. */
bool hf_kube_return_is_early(struct hf_kube_subscription *sub, enum hf_rf_event event);
/* At a reflector's timer. True: list, as the old version cannot resume. */
bool hf_kube_return_turn(struct hf_kube_subscription *sub);
void hf_kube_return_forget(struct hf_kube *kube);

void hf_kube_knock_timer(void *arg);
/* The n-th subscription that waits for the server, or NULL. */
struct hf_kube_subscription *hf_kube_return_waiting(struct hf_kube *kube, uint64_t n);
/* Knocks after `delay_ns`; until then no subscription has a timer. */
void hf_kube_return_wait(struct hf_kube *kube, uint64_t delay_ns);
/* Gives waiting subscriptions their moments, the first after `at_ns`; an agent's own EdgeNode is last. */
void hf_kube_return_line_up(struct hf_kube *kube, uint64_t at_ns);
/* Pause between two requests of the line, partly random. */
uint64_t hf_kube_return_step_ns(struct hf_kube *kube);
