/* SPDX-License-Identifier: Apache-2.0 */
/* An answer without Audit-Id may be second-hand: YurtHub, a proxy on this node, gave it for the API server
 * (rules/origin.h). A review (rules/review.h) can show that a gateway only removes the header. */
#pragma once

#include "base/clock.h"
#include "kube/rules/origin.h"

struct hf_exchange;
struct hf_kube;

struct hf_kube_hub {
    struct hf_origin origin;
    struct hf_exchange *review;
    bool wanted;     /* the next turn starts a review */
    uint64_t due_ns; /* when a review may start; 0: no cause yet */
    uint64_t wait_ns;
};

/* Call after -ENOLINK ended a call. Asks for a review when one is due. */
void hf_kube_second_hand(struct hf_kube *kube);
void hf_kube_hub_turn(struct hf_kube *kube);
