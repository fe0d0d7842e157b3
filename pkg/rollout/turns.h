/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes may swap now, by group, and when a turn ends. Pure.
 *
 * A turn is the right of a node to swap one release (EdgeNode.spec.turns), from the plan that writes it until the
 * controller takes it back. */
#pragma once

#include "api/field/field.h"

struct hf_turn_candidate {
    uint32_t node;
    uint32_t group;   /* of the label */
    uint32_t since_s; /* hf_fleet_seconds() */
    uint32_t slot;
};

/* Longest wait, then lower `slot`, then lower `node`. */
void hf_turn_sort(struct hf_turn_candidate *candidates, size_t n);

struct hf_turn_group {
    uint32_t hash;
    uint32_t size; /* selected */
    uint32_t busy; /* between swap and verdict, with a turn, or a write on its way */
    bool fenced;   /* each EdgeNode that may get a turn has our epoch */
};

/* Fills groups[n], sorted by hash, fenced, with counts of 0; returns their number. */
size_t hf_turn_groups(const struct hf_turn_candidate *candidates, size_t n, struct hf_turn_group *groups);
struct hf_turn_group *hf_turn_group(struct hf_turn_group *groups, size_t n, uint32_t hash);

/* True: for one more node, now busy. */
bool hf_turn_may(struct hf_turn_group *group, const struct hf_share *max_unavailable);

struct hf_turn_facts {
    bool has_entry;      /* with this digest */
    int phase;           /* enum hf_phase */
    bool waits_for_site; /* for window, hold or spec.suspend */
    bool moved_on;       /* to another digest */
    bool release_wanted; /* by an EdgeUpdate that selects the node */
    bool not_admitted;   /* says so, and no stage of the rollout has reached the node */
    bool is_silent;      /* missed several reports */
    bool freed;
};

/* Not if a node fell silent before its verdict: an operator frees it. */
bool hf_turn_is_over(const struct hf_turn_facts *facts);
