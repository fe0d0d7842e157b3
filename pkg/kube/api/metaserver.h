/* SPDX-License-Identifier: Apache-2.0 */
/* A MetaServer's answers may come from this node's store: only a LIST whose kind is spelled as in the CRD proves that
 * the cloud answered (`provable` in resource.h). LISTs go one at a time, by rules/prober.h. */
#pragma once

#include "kube/api/report.h"
#include "kube/resource.h"
#include "kube/rules/prober.h"
#include "kube/rules/review.h"
#include "loop/sched.h"

struct hf_exchange;
struct hf_exchange_owner;
struct hf_kube;

struct hf_kube_meta {
    struct hf_prober prober;
    struct hf_timer *timer;
    struct hf_exchange *probe; /* LIST or review */
    uint64_t asked_ns;
    int start_error;    /* for the next turn */
    bool reviews_watch; /* `probe` is the review before the first LIST of `probed` */
    /* the subscription asked about last; NULL: none, or it ended */
    struct hf_kube_subscription *probed;
    enum hf_kube_reported reported; /* contact, to all */
};

struct hf_kube_meta_sub {
    bool begun;       /* it wanted its first LIST */
    bool wants_probe; /* a LIST from the cloud */
    bool served;      /* the cloud answered a LIST, and no review contradicts */
    bool may_watch;   /* object in a namespace: a review allows it */
    bool barred;      /* the cloud may not list the kind, or lacks it */
    bool unexplained; /* though allowed, the store answered; twice in a row: barred */
    uint64_t replay_until_ns;
};

void hf_kube_meta_timer(void *arg);
/* Ends requests that failed to start. */
void hf_kube_meta_turn(struct hf_kube *kube);
/* Port 10550 on loopback or EdgeCore's address. */
bool hf_kube_is_meta_address(const char *server);
void hf_kube_forget_probe(struct hf_kube_subscription *sub);
/* May CloudCore, or for hub.h this client, list the kind? */
HF_MUST_USE int hf_kube_review_start(struct hf_kube *kube, const struct hf_resource *resource,
                                     const struct hf_exchange_owner *owner, struct hf_exchange **ret_exchange);
