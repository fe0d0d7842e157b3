/* SPDX-License-Identifier: Apache-2.0 */
/* A MetaServer as the server. Its answers may come from this node's store, which knows nothing of deletions while the
 * cloud was away. Only a LIST whose kind is spelled as in the CRD proves that the cloud answered (`provable` in
 * resource.h): such LISTs do the rounds' work, one at a time, by rules/prober.h; then a watch is held open. After a
 * LIST that the store answered at once, a review asks if CloudCore may list the kind (rules/review.h). Private to
 * pkg/kube. */
#pragma once

#include "kube/api/report.h"
#include "kube/resource.h"
#include "kube/rules/prober.h"
#include "kube/rules/review.h"
#include "loop/sched.h"

struct hf_exchange;
struct hf_exchange_owner;
struct hf_kube;

/* of a slower answer only the spelling of a `provable` kind is proof */
#define HF_KUBE_LATE_NS (5 * HF_NS_PER_S)
#define HF_KUBE_REPLAY_NS (2 * HF_NS_PER_S) /* a new watch replays the store */

struct hf_kube_meta {
    struct hf_prober prober;
    struct hf_timer *timer;
    struct hf_exchange *probe; /* LIST or review, or NULL */
    uint64_t asked_ns;         /* its begin */
    int start_error;           /* -errno, for the next turn; 0: none */
    bool reviews_watch;        /* a review before the LIST of `probed` */
    /* last LIST or review; NULL: none, or ended */
    struct hf_kube_subscription *probed;
    enum hf_kube_reported reported; /* to all subscribers */
};

struct hf_kube_meta_sub {
    bool begun;               /* the first LIST */
    bool wants_probe;         /* a LIST by the cloud */
    bool served;              /* the cloud has answered a LIST, and no review contradicts */
    bool may_watch;           /* object in a namespace: a review allows the watch of its kind */
    bool barred;              /* the cloud may not list the kind, or lacks it */
    bool unexplained;         /* it may, and the store answered; twice in a row: barred */
    uint64_t replay_until_ns; /* replays the store until then */
};

void hf_kube_meta_timer(void *arg); /* of the hf_kube */
/* A LIST that failed to start, to the prober. */
void hf_kube_meta_turn(struct hf_kube *kube);
/* It has the MetaServer's port, 10550, on loopback or the address that EdgeCore gives it. */
bool hf_kube_is_meta_address(const char *server);
void hf_kube_forget_probe(struct hf_kube_subscription *sub); /* it ends */
/* Sends a review of the right to list a kind. */
HF_MUST_USE int hf_kube_review_start(struct hf_kube *kube, const struct hf_resource *resource,
                                     const struct hf_exchange_owner *owner, struct hf_exchange **ret_exchange);
