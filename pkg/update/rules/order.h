/* SPDX-License-Identifier: Apache-2.0 */
/* Does the site's order to go back decide what this node runs? */
#pragma once

#include <stdbool.h>

enum hf_order_state {
    HF_ORDER_ABSENT,
    HF_ORDER_UNREADABLE, /* exists, content unknown */
    HF_ORDER_REFUSED,
    HF_ORDER_STANDS,
};

struct hf_order_facts {
    enum hf_order_state state;
    bool names_committed; /* the order names the committed release */
    bool gone_back;       /* by an order, to the version before */
    bool wanted;          /* any release of this name */
    bool newer;           /* with a higher sequence than ever committed */
    bool newer_may_start;
};

enum hf_order_verdict {
    HF_ORDER_NONE,   /* what is wanted decides */
    HF_ORDER_FOLLOW, /* run the version before */
    HF_ORDER_OVER,   /* NONE, and the order can go */
};

enum hf_order_verdict hf_order_ask(const struct hf_order_facts *facts);
