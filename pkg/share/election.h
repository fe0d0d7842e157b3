/* SPDX-License-Identifier: Apache-2.0 */
/* Which node of a site downloads, and which take from a neighbour? Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum hf_share_state {
    HF_SHARE_UNKNOWN, /* no answer */
    HF_SHARE_ABSENT,  /* neither has nor wants it */
    HF_SHARE_WANTED,  /* asks its neighbours */
    HF_SHARE_FETCHING,
    HF_SHARE_HAVE,
    HF_SHARE_STATES
};

struct hf_share_view {
    const char *node; /* or "" */
    enum hf_share_state state;
    bool busy;     /* just failed to serve: ask later */
    bool excluded; /* served something else, or held this node up */
};

enum hf_share_choice { HF_SHARE_ALONE, HF_SHARE_WAIT, HF_SHARE_GET };

struct hf_share_decision {
    enum hf_share_choice choice;
    size_t peer; /* to wait for, to get from */
};

/* True: `a` goes before `b`, in a random order for each content that is the same on every node. */
bool hf_share_goes_before(const char *sha256, const char *a, const char *b);

/* GET from one that has it; else WAIT for one that fetches it; else for one that wants it and goes before `self`; else
 * ALONE. */
struct hf_share_decision hf_share_decide(const char *sha256, const char *self, const struct hf_share_view *views,
                                         size_t n);
