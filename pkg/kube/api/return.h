/* SPDX-License-Identifier: Apache-2.0 */
/* How a client's subscriptions return to a server that was away. Private to pkg/kube. */
#pragma once

#include "kube/rules/reflector.h"
#include "loop/sched.h"

struct hf_exchange;
struct hf_kube;
struct hf_kube_subscription;

/* Per node of the fleet, up to HF_RF_SPREAD_MAX_NS: 1,000 nodes at 5 a second, with room for those that came early. */
#define HF_KUBE_SPREAD_EACH_NS (200 * HF_NS_PER_MS)

enum hf_kube_return_state {
    HF_RETURN_READY,    /* never away, or all that wait have their moments */
    HF_RETURN_WAITING,  /* for the knock */
    HF_RETURN_KNOCKING, /* in flight */
};

struct hf_kube_return {
    enum hf_kube_return_state state;
    struct hf_timer *timer;
    struct hf_exchange *knock;
    unsigned knocks;   /* kinds answered in this return */
    uint64_t at_ns;    /* last request; 0: never away */
    unsigned refusals; /* in a row since it was ready */
    bool no_history;   /* from before */
};

/* The subscription waits for the server. */
bool hf_kube_return_awaits(const struct hf_kube_subscription *sub);
/* The server is away: the client waits for its moment, or for its knock's answer. */
bool hf_kube_return_is_ahead(const struct hf_kube *kube);
/* How long the subscription waits, if its own back-off is `delay_ns`. HF_NEVER: until its turn in line. */
uint64_t hf_kube_return_rest_ns(struct hf_kube_subscription *sub, uint64_t delay_ns);
/* Call it after each move of a reflector. */
void hf_kube_return_moved(struct hf_kube_subscription *sub, enum hf_rf_state from, enum hf_rf_event event);
/* The server is ready: all that wait get their moments in line. */
void hf_kube_return_ready(struct hf_kube *kube);
/* `event` is a refusal of a server that has just started; counts it. */
bool hf_kube_return_is_early(struct hf_kube_subscription *sub, enum hf_rf_event event);
/* When a reflector's timer fires. True: do not ask for a history that the server does not have. */
bool hf_kube_return_turn(struct hf_kube_subscription *sub);
/* Nobody waits any longer. */
void hf_kube_return_forget(struct hf_kube *kube);

/* ---- knock.c, and for it ---- */

void hf_kube_knock_timer(void *arg); /* of the hf_kube */
/* The n-th subscription that waits for the server, or NULL. */
struct hf_kube_subscription *hf_kube_return_waiting(struct hf_kube *kube, uint64_t n);
/* Knocks after `delay_ns`; until then no subscription has a timer. */
void hf_kube_return_wait(struct hf_kube *kube, uint64_t delay_ns);
/* In the subscriptions' order, from `at_ns`: an agent's own EdgeNode, one object of the largest kind, is last. */
void hf_kube_return_line_up(struct hf_kube *kube, uint64_t at_ns);
/* Pause between two requests of the line, partly random. */
uint64_t hf_kube_return_step_ns(struct hf_kube *kube);
