/* SPDX-License-Identifier: Apache-2.0 */
/* kube/api/hub.h - what the client does about answers that YurtHub, a proxy on this node, gives in place of the API
 * server (rules/origin.h): it finds out by a review (rules/review.h) if a gateway removes the header Audit-Id instead.
 * Private to pkg/kube. */
#pragma once

#include "base/clock.h"
#include "kube/rules/origin.h"

struct hf_exchange;
struct hf_kube;

/* The first review comes this long after the first second-hand answer. The minimum time between two doubles with each
 * review that an API server answers with the header, up to HF_KUBE_REVIEW_MAX_NS. */
#define HF_KUBE_REVIEW_NS (300 * HF_NS_PER_S)
#define HF_KUBE_REVIEW_MAX_NS (3600 * HF_NS_PER_S)

struct hf_kube_hub {
    struct hf_origin origin;
    struct hf_exchange *review; /* in flight, or NULL */
    bool wanted;                /* the next turn of the loop sends a review */
    uint64_t due_ns;            /* none before; 0: no second-hand answer yet */
    uint64_t wait_ns;           /* minimum time between two reviews */
};

/* A call has ended with a second-hand answer (-ENOLINK). Behind YurtHub itself this needs no review. */
void hf_kube_second_hand(struct hf_kube *kube);
void hf_kube_hub_turn(struct hf_kube *kube); /* sends the review that is wanted */
