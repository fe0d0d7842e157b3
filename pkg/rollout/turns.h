/* SPDX-License-Identifier: Apache-2.0 */
/* Decides which nodes may swap now, by group, and when a turn ends. Pure.
 *
 * A turn is the right of a node to swap one release (EdgeNode.spec.turns), from the plan that writes it until the
 * controller takes it back. */
#pragma once

#include "api/field/field.h"

struct hf_turn_candidate {
    uint32_t node;
    uint32_t group;   /* hash of the label, or 0 */
    uint32_t since_s; /* hf_fleet_seconds() */
    uint32_t slot;
};

/* Longest wait first, then lower `slot`, then lower `node`. */
void hf_turn_sort(struct hf_turn_candidate *candidates, size_t n);

struct hf_turn_group {
    uint32_t hash;
    uint32_t size; /* selected nodes */
    uint32_t busy; /* between swap and verdict, a turn, or a write on its way */
    bool fenced;   /* each EdgeNode that might get a turn has our epoch */
};

/* The candidates' groups by hash, fenced, counts 0; room for n. Returns their number. */
size_t hf_turn_groups(const struct hf_turn_candidate *candidates, size_t n, struct hf_turn_group *groups);
struct hf_turn_group *hf_turn_group(struct hf_turn_group *groups, size_t n, uint32_t hash);

/* True: one more node may have a turn, and is busy now. */
bool hf_turn_may(struct hf_turn_group *group, const struct hf_share *max_unavailable);

struct hf_turn_facts {
    bool has_entry;      /* with this digest */
    int phase;           /* enum hf_phase */
    bool waits_for_site; /* for a window, a hold or spec.suspend */
    bool moved_on;       /* another digest of the release */
    bool release_wanted; /* an EdgeUpdate has this digest */
    bool is_silent;      /* has missed several reports */
    bool freed;
};

/* Not for a node that fell silent before its verdict: an operator frees it. */
bool hf_turn_is_over(const struct hf_turn_facts *facts);
