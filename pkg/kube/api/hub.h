/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of YurtHub, a proxy on this node, in place of the API server (rules/origin.h). A review (rules/review.h)
 * shows if a gateway removes Audit-Id instead. */
#pragma once

#include "base/clock.h"
#include "kube/rules/origin.h"

struct hf_exchange;
struct hf_kube;

struct hf_kube_hub {
    struct hf_origin origin;
    struct hf_exchange *review;
    bool wanted;      /* a review, in the next turn */
    uint64_t due_ns;  /* no review before; 0: no second-hand answer yet */
    uint64_t wait_ns; /* between two reviews */
};

/* -ENOLINK ended a call: wants a review, except at YurtHub's address. */
void hf_kube_second_hand(struct hf_kube *kube);
void hf_kube_hub_turn(struct hf_kube *kube);
