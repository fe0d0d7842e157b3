/* SPDX-License-Identifier: Apache-2.0 */
/* kube/api/metaserver.h - a MetaServer as the server. Its answers may come from this node's local store, which knows
 * nothing of deletions while the cloud was away. Private to pkg/kube.
 *
 * Only a LIST whose kind is spelled as in the CRD proves that the cloud answered (`provable` in resource.h): such LISTs
 * do the work of the rounds, one at a time, when rules/prober.h says so. After one, a watch of the kind is held open.
 * After a LIST that the store answered at once, a review asks if CloudCore may list the kind at all
 * (rules/review.h). */
#pragma once

#include "kube/api/report.h"
#include "kube/resource.h"
#include "kube/rules/prober.h"
#include "kube/rules/review.h"
#include "loop/sched.h"

struct hf_exchange;
struct hf_exchange_owner;
struct hf_kube;

/* of a review and of a LIST, which lasts 10 s while the cloud is away */
#define HF_KUBE_PROBE_NS (15 * HF_NS_PER_S)
/* of a slower answer, only the spelling of a `provable` kind proves that the cloud answered */
#define HF_KUBE_LATE_NS (5 * HF_NS_PER_S)
#define HF_KUBE_REPLAY_NS (2 * HF_NS_PER_S) /* a new watch replays the store */

struct hf_kube_meta {
    struct hf_prober prober;
    struct hf_timer *timer;
    struct hf_exchange *probe; /* LIST or review in flight, or NULL */
    uint64_t asked_ns;         /* when it began */
    int start_error;           /* -errno of one that failed to start, for the next turn of the loop; 0: none */
    bool reviews_watch;        /* a review that precedes the LIST of `probed` is in flight */
    /* of the last LIST or review; NULL: none, or ended */
    struct hf_kube_subscription *probed;
    enum hf_kube_reported reported; /* to all subscribers */
};

struct hf_kube_meta_sub {
    bool begun;               /* the first LIST was requested */
    bool wants_probe;         /* wants a LIST that the cloud answers */
    bool served;              /* the cloud has answered a LIST, and no review has contradicted since */
    bool may_watch;           /* object in a namespace: a review has allowed the watch of its kind */
    bool barred;              /* the cloud may not list this kind, or does not have it */
    bool unexplained;         /* the cloud may list it, and the store answered; twice in a row: barred */
    uint64_t replay_until_ns; /* until then the stream replays the store */
};

void hf_kube_meta_timer(void *arg); /* `arg` is the hf_kube */
/* Passes a LIST that failed to start to the prober. */
void hf_kube_meta_turn(struct hf_kube *kube);
/* Its own port, on this host's loopback or at the address that EdgeCore gives it. */
bool hf_kube_is_meta_address(const char *server);
void hf_kube_forget_probe(struct hf_kube_subscription *sub); /* the subscription ends */
/* Sends a review of the right to list a kind. */
HF_MUST_USE int hf_kube_review_start(struct hf_kube *kube, const struct hf_resource *resource,
                                     const struct hf_exchange_owner *owner, struct hf_exchange **ret_exchange);
