/* SPDX-License-Identifier: Apache-2.0 */
/* Which node of a site downloads a content, and which ones take it from a neighbour. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hf_share_state {
    HF_SHARE_UNKNOWN, /* it has not answered */
    HF_SHARE_ABSENT,  /* it neither has nor wants the content */
    HF_SHARE_WANTED,  /* it asks its neighbours */
    HF_SHARE_FETCHING,
    HF_SHARE_HAVE,
    HF_SHARE_STATES
};

struct hf_share_view {
    const char *node; /* "": unknown */
    enum hf_share_state state;
    bool busy;     /* it has just failed to serve: it is asked again a little later */
    bool excluded; /* it served something else, or held this node up */
};

enum hf_share_choice { HF_SHARE_ALONE, HF_SHARE_WAIT, HF_SHARE_GET };

struct hf_share_decision {
    enum hf_share_choice choice;
    size_t peer; /* to wait for or to get from */
};

/* In a random order that is another for each content, and the same on every node. */
bool hf_share_goes_before(const char *sha256, const char *a, const char *b);

/* GET from one that has it; else WAIT for one that fetches it; else WAIT for one that wants it and goes before `self`;
 * else ALONE. */
struct hf_share_decision hf_share_decide(const char *sha256, const char *self, const struct hf_share_view *views,
                                         size_t n);
