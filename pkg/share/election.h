/* SPDX-License-Identifier: Apache-2.0 */
/* Decides which nodes of a site download from the origin, and which from a neighbour. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum hf_share_state {
    HF_SHARE_UNKNOWN,
    HF_SHARE_ABSENT,
    HF_SHARE_WANTED, /* the neighbour wants it from its own neighbours */
    HF_SHARE_FETCHING,
    HF_SHARE_HAVE,
    HF_SHARE_STATES
};

struct hf_share_view {
    const char *node; /* "": not known yet */
    enum hf_share_state state;
    bool busy; /* a download from it has just failed: wait a little */
    bool excluded;
};

enum hf_share_choice { HF_SHARE_ALONE, HF_SHARE_WAIT, HF_SHARE_GET };

struct hf_share_decision {
    enum hf_share_choice choice;
    size_t peer; /* index of the view to WAIT for or GET from */
};

/* Whether node `a` goes before node `b`, in an order that is random for each content, but the same on every node. */
bool hf_share_goes_before(const char *sha256, const char *a, const char *b);

/* Decides to GET the content from a neighbour that has it (WAIT while it is busy); else to WAIT for one that fetches
 * it; else to WAIT for one that wants it and goes before `self`; else ALONE. */
struct hf_share_decision hf_share_decide(const char *sha256, const char *self, const struct hf_share_view *views,
                                         size_t n);
