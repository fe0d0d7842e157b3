/* SPDX-License-Identifier: Apache-2.0 */
/* An order names the committed release that the site leaves. It decides until a release with a higher sequence may
 * start. What that one's update does then decides alone; once it is committed, the order is over. */
#include "update/rules/order.h"

enum hf_order_verdict hf_order_ask(const struct hf_order_facts *facts)
{
    if (facts->state == HF_ORDER_ABSENT || facts->state == HF_ORDER_REFUSED)
        return HF_ORDER_NONE;
    if (facts->state == HF_ORDER_STANDS && !facts->names_committed)
        return HF_ORDER_OVER;
    /* It is in place. A newer release that waits leaves it there, and only one that is wanted can take its place. */
    if (facts->gone_back)
        return facts->wanted && !facts->newer ? HF_ORDER_FOLLOW : HF_ORDER_NONE;
    if (facts->state == HF_ORDER_UNREADABLE)
        return HF_ORDER_NONE;
    return facts->newer && facts->newer_may_start ? HF_ORDER_NONE : HF_ORDER_FOLLOW;
}
