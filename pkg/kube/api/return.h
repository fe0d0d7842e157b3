/* SPDX-License-Identifier: Apache-2.0 */
/* kube/api/return.h - how the subscriptions of one client return to a server that was away. Private to pkg/kube.
 *
 * All nodes lose a server at once. Each client draws a random moment within the spread of the fleet, and then knocks:
 * it gets one object, or the first one of a kind, which a server answers from its store as soon as it has read its RBAC
 * rules. A server that fills its cache of a kind answers 429 to every watch of that kind, and it may begin to fill the
 * cache only when somebody asks for the kind. So in a large fleet each client knocks for a random kind, in a small one
 * for each of its kinds; and its first watch comes a step later. While the server refuses with 403, 408, 429 or 5xx,
 * the client draws another moment.
 *
 * After the knock the subscriptions ask one by one; in a large fleet more slowly, so that the requests of many nodes
 * spread, and a node's bookmarks come evenly and spare pings (rules/pulse.h). If one of them is refused in this way,
 * all that still wait draw another moment. */
#pragma once

#include "kube/rules/reflector.h"
#include "loop/sched.h"

struct hf_exchange;
struct hf_kube;
struct hf_kube_subscription;

/* after as many in a row the server is no longer one that has just started */
enum { HF_KUBE_MAX_REFUSALS = 3 };

/* From this size on, the nodes of a fleet together knock for every kind before the first of them asks for a watch. */
enum { HF_KUBE_KNOCK_FLEET = 256 };

/* Spread for each node of the fleet; in all at most HF_RF_SPREAD_MAX_NS. 1,000 nodes then return at 5 a second, which
 * leaves room for those that connected early and continue together. */
#define HF_KUBE_SPREAD_EACH_NS (200 * HF_NS_PER_MS)
/* Pause between two requests of the line: for each node of the fleet, and at most; a random part of it, up to a
 * quarter, is left out. */
#define HF_KUBE_STEP_EACH_NS (16 * HF_NS_PER_MS)
#define HF_KUBE_STEP_NS (16 * HF_NS_PER_S)
/* least pause between the knock and the first watch */
#define HF_KUBE_FILL_NS HF_NS_PER_S
/* For this time after an answer, refusals and missing history are results of the return. */
#define HF_KUBE_RETURN_NS (30 * HF_NS_PER_S)

enum hf_kube_return_state {
    HF_RETURN_READY,    /* never away, or the subscriptions that wait have their moments in line */
    HF_RETURN_WAITING,  /* the timer runs until the knock */
    HF_RETURN_KNOCKING, /* the knock is in flight */
};

struct hf_kube_return {
    enum hf_kube_return_state state;
    struct hf_timer *timer;
    struct hf_exchange *knock;
    unsigned knocks;   /* kinds that the server has answered in this return */
    uint64_t at_ns;    /* last request of the return; 0: never away */
    unsigned refusals; /* in a row since the server was last ready */
    bool no_history;   /* the server has no history from before */
};

/* True if the subscription waits for the server. */
bool hf_kube_return_awaits(const struct hf_kube_subscription *sub);
/* The server is away: the client waits for its moment, or for the answer to its knock. */
bool hf_kube_return_is_ahead(const struct hf_kube *kube);
/* How long the subscription waits, if its own back-off is `delay_ns`. HF_NEVER: until its turn in line comes. */
uint64_t hf_kube_return_rest_ns(struct hf_kube_subscription *sub, uint64_t delay_ns);
/* Call after each move of a reflector. */
void hf_kube_return_moved(struct hf_kube_subscription *sub, enum hf_rf_state from, enum hf_rf_event event);
/* The server is ready: gives each subscription that waits its moment in line. */
void hf_kube_return_ready(struct hf_kube *kube);
/* `event` is a refusal of a server that has just started; counts it. */
bool hf_kube_return_is_early(struct hf_kube_subscription *sub, enum hf_rf_event event);
/* When a reflector's timer fires. True: do not ask for a history that the server does not have. */
bool hf_kube_return_turn(struct hf_kube_subscription *sub);
/* Nobody waits any longer. */
void hf_kube_return_forget(struct hf_kube *kube);

/* ---- knock.c, and for it ---- */

void hf_kube_knock_timer(void *arg); /* `arg` is the hf_kube */
/* The n-th subscription that waits for the server, or NULL. */
struct hf_kube_subscription *hf_kube_return_waiting(struct hf_kube *kube, uint64_t n);
/* The next knock comes after `delay_ns`; until then no subscription has a timer of its own. */
void hf_kube_return_wait(struct hf_kube *kube, uint64_t delay_ns);
/* Sets the timers of those that wait: the first after `at_ns`, in the order of the subscriptions. So an agent's own
 * EdgeNode, one object of the largest kind, comes last. */
void hf_kube_return_line_up(struct hf_kube *kube, uint64_t at_ns);
/* Pause between two requests of the line; a part of it is random. */
uint64_t hf_kube_return_step_ns(struct hf_kube *kube);
