/* SPDX-License-Identifier: Apache-2.0 */
/* kube/api/return.h - how the subscriptions of one client return to a server that was away. Private to pkg/kube.
 *
 * All nodes lose a server that goes away at the same moment. Each client draws one random moment within the spread of
 * the fleet, and one subscription asks then. The others wait in line until this one has an answer that shows that the
 * server is ready: a list, a WatchList, or a watch that stays open for HF_RF_SETTLE_NS. "200, no history" (410 in the
 * stream) does not: a server answers so before it has read its RBAC rules and filled its caches. While it refuses with
 * 403, 408, 429 or 5xx, the client draws another moment for all that wait. If the one that asks fails for a reason of
 * its own, the next in line asks.
 *
 * Once the server is ready, the rest of the line asks one by one. In a large fleet the times between them are longer,
 * so that the requests of many nodes whose first answers came together spread, and so that the bookmarks of a node's
 * watches come evenly: an evenly used connection needs no pings (rules/pulse.h). */
#pragma once

#include "kube/rules/reflector.h"

struct hf_kube;
struct hf_kube_subscription;

/* The number of refusals in a row for which the client assumes that the server has just started. */
enum { HF_KUBE_MAX_REFUSALS = 3 };

/* The spread for each node of the fleet; in all at most HF_RF_SPREAD_MAX_NS. With 200 ms, 1,000 nodes return at a rate
 * of 5 nodes a second, and leave room for those that have waited for a server that accepts connections for some seconds
 * before it answers, and then continue together. */
#define HF_KUBE_SPREAD_EACH_NS (200 * HF_NS_PER_MS)
/* time between two requests of the line for each node of the fleet, and its maximum; the last quarter is random */
#define HF_KUBE_STEP_EACH_NS (16 * HF_NS_PER_MS)
#define HF_KUBE_STEP_NS (16 * HF_NS_PER_S)
/* time until the next in line asks if the one that asked fails for a reason of its own */
#define HF_KUBE_FOLLOW_NS (5 * HF_NS_PER_S)
/* For this time after an answer, the server has just returned: refusals and missing history count as a result of
 * that. */
#define HF_KUBE_RETURN_NS (30 * HF_NS_PER_S)

struct hf_kube_return {
    uint64_t at_ns;    /* monotonic time of the next request, or of the last one of the return; 0: never away */
    unsigned refusals; /* number of refusals in a row since the server was last ready */
    bool ready;        /* true if the server has been ready since, and those that wait ask one after the other */
    bool no_history;   /* true if the server has shown that it has no history from before it was away */
};

/* True if the subscription waits in line. */
bool hf_kube_return_awaits(const struct hf_kube_subscription *sub);
/* True if the server is away, and the client waits for the moment to ask. */
bool hf_kube_return_is_ahead(const struct hf_kube *kube);
/* Returns the length of a rest that the reflector wants to last `delay_ns`; lines up the others. */
uint64_t hf_kube_return_rest_ns(struct hf_kube_subscription *sub, uint64_t delay_ns);
/* Call after each move of a reflector. */
void hf_kube_return_moved(struct hf_kube_subscription *sub, enum hf_rf_state from, enum hf_rf_event event);
/* The server is ready: lines up all that wait, except `but` (may be NULL). */
void hf_kube_return_ready(struct hf_kube *kube, const struct hf_kube_subscription *but);
/* True if `event`, an answer, is a refusal of a server that has just started; counts it. */
bool hf_kube_return_is_early(struct hf_kube_subscription *sub, enum hf_rf_event event);
/* Call when the timer of a reflector fires. True if the subscription need not ask the server for a history that it does
 * not have. */
bool hf_kube_return_turn(struct hf_kube_subscription *sub);
