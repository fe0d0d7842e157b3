/* SPDX-License-Identifier: Apache-2.0 */
/* kube/api/return.h - how the subscriptions of one client return to a server that was away. Private to pkg/kube.
 *
 * All nodes lose a server at once. Each client draws a random moment within the spread of the fleet, when one
 * subscription asks. The others wait in line until the server is ready: it answered with a list or a WatchList, or a
 * watch stays open for HF_RF_SETTLE_NS. "200, no history" (410 in the stream) is no sign: a server answers so before it
 * has read its RBAC rules and filled its caches. While it refuses with 403, 408, 429 or 5xx, the client draws another
 * moment. If the one that asks fails for a reason of its own, the next in line asks.
 *
 * Then the rest of the line asks one by one; in a large fleet more slowly, so that the requests of many nodes spread,
 * and a node's bookmarks come evenly and spare pings (rules/pulse.h). */
#pragma once

#include "kube/rules/reflector.h"

struct hf_kube;
struct hf_kube_subscription;

/* after as many in a row the server is no longer one that has just started */
enum { HF_KUBE_MAX_REFUSALS = 3 };

/* Spread for each node of the fleet; in all at most HF_RF_SPREAD_MAX_NS. 1,000 nodes then return at 5 a second, which
 * leaves room for those that connected early and continue together. */
#define HF_KUBE_SPREAD_EACH_NS (200 * HF_NS_PER_MS)
/* Pause between two requests of the line: for each node of the fleet, and at most; a random part of it, up to a
 * quarter, is left out. */
#define HF_KUBE_STEP_EACH_NS (16 * HF_NS_PER_MS)
#define HF_KUBE_STEP_NS (16 * HF_NS_PER_S)
/* until the next in line asks */
#define HF_KUBE_FOLLOW_NS (5 * HF_NS_PER_S)
/* For this time after an answer, refusals and missing history are results of the return. */
#define HF_KUBE_RETURN_NS (30 * HF_NS_PER_S)

struct hf_kube_return {
    uint64_t at_ns;    /* next request, or last one of the return; 0: never away */
    unsigned refusals; /* in a row since the server was last ready */
    bool ready;        /* the server has been ready since: the line asks one by one */
    bool no_history;   /* the server has no history from before */
};

/* True if the subscription waits in line. */
bool hf_kube_return_awaits(const struct hf_kube_subscription *sub);
/* The server is away, and the client waits for its moment. */
bool hf_kube_return_is_ahead(const struct hf_kube *kube);
/* How long a rest of `delay_ns` lasts; lines up the others. */
uint64_t hf_kube_return_rest_ns(struct hf_kube_subscription *sub, uint64_t delay_ns);
/* Call after each move of a reflector. */
void hf_kube_return_moved(struct hf_kube_subscription *sub, enum hf_rf_state from, enum hf_rf_event event);
/* Lines up all that wait, but `but` (may be NULL). */
void hf_kube_return_ready(struct hf_kube *kube, const struct hf_kube_subscription *but);
/* `event` is a refusal of a server that has just started; counts it. */
bool hf_kube_return_is_early(struct hf_kube_subscription *sub, enum hf_rf_event event);
/* When a reflector's timer fires. True: do not ask for a history that the server does not have. */
bool hf_kube_return_turn(struct hf_kube_subscription *sub);
