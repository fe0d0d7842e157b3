/* SPDX-License-Identifier: Apache-2.0 */
/* A MetaServer's answers may come from this node's store: of its LISTs, only one whose kind is spelled right proves
 * that the cloud answered (`provable` in resource.h). */
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
    struct hf_exchange *probe;
    uint64_t asked_ns;
    int start_error;
    bool reviews_watch;
    /* of the last LIST or review; or NULL */
    struct hf_kube_subscription *probed;
    enum hf_kube_reported reported;
};

struct hf_kube_meta_sub {
    bool begun;
    bool wants_probe; /* its LIST, or the review before it, still has to be sent */
    bool served;      /* the cloud answered its LIST, and no later review contradicts */
    bool may_watch;   /* a review allows the watch of an object in a namespace */
    bool barred;      /* CloudCore may not list the kind, or the API server lacks it */
    bool unexplained; /* the store answered although CloudCore may list; twice in a row: barred */
    uint64_t replay_until_ns;
};

void hf_kube_meta_timer(void *arg);
void hf_kube_meta_turn(struct hf_kube *kube);
/* Whether `server` is port 10550 on loopback or at EdgeCore's address. */
bool hf_kube_is_meta_address(const char *server);
void hf_kube_forget_probe(struct hf_kube_subscription *sub);
/* Asks in a review whether CloudCore (for hub.h: this client) may list the kind. */
HF_MUST_USE int hf_kube_review_start(struct hf_kube *kube, const struct hf_resource *resource,
                                     const struct hf_exchange_owner *owner, struct hf_exchange **ret_exchange);
