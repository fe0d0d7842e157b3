/* SPDX-License-Identifier: Apache-2.0 */
/* Does the site's order to go back decide what this node runs? */
#pragma once

#include <stdbool.h>

enum hf_order_state {
    HF_ORDER_ABSENT,
    HF_ORDER_UNREADABLE, /* an order exists, but its content is unknown */
    HF_ORDER_REFUSED,
    HF_ORDER_STANDS,
};

struct hf_order_facts {
    enum hf_order_state state;
    bool names_committed;
    bool gone_back; /* the node has followed an order to the version before */
    bool wanted;
    bool newer; /* the wanted release has a higher sequence than any committed here */
    bool newer_may_start;
};

enum hf_order_verdict {
    HF_ORDER_NONE,   /* the wanted release decides */
    HF_ORDER_FOLLOW, /* the version before is to run */
    HF_ORDER_OVER,   /* the wanted release decides, and the order can be removed */
};

enum hf_order_verdict hf_order_ask(const struct hf_order_facts *facts);
