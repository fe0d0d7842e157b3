/* SPDX-License-Identifier: Apache-2.0 */
/* Does the site's order to go back to the version before decide what this node runs? Pure. */
#pragma once

#include <stdbool.h>

enum hf_order_state {
    HF_ORDER_ABSENT,
    HF_ORDER_UNREADABLE, /* it is there, and nobody knows what it says */
    HF_ORDER_REFUSED,
    HF_ORDER_STANDS,
};

struct hf_order_facts {
    enum hf_order_state state;
    bool names_committed; /* the order's release is the one that was committed last, orders aside */
    bool gone_back;       /* the node runs the version before, by an order */
    bool wanted;          /* somebody wants a release of this name */
    bool newer;           /* and one with a higher sequence than was ever committed */
    bool newer_may_start;
};

enum hf_order_verdict {
    HF_ORDER_NONE,   /* what is wanted decides */
    HF_ORDER_FOLLOW, /* the version before is the one to run */
    HF_ORDER_OVER,   /* as NONE, and the order can go */
};

enum hf_order_verdict hf_order_ask(const struct hf_order_facts *facts);
