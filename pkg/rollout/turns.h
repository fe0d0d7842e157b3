/* SPDX-License-Identifier: Apache-2.0 */
/* Decides which nodes may swap now, by group, and when a turn ends. Pure. */
#pragma once

#include "api/field/field.h"

struct hf_turn_candidate {
    uint32_t node;
    uint32_t group;   /* hash of the label's value */
    uint32_t since_s; /* hf_fleet_seconds() */
    uint32_t slot;
};

/* Sorts: longest wait first, then lower `slot`, then lower `node`. */
void hf_turn_sort(struct hf_turn_candidate *candidates, size_t n);

struct hf_turn_group {
    uint32_t hash;
    uint32_t size; /* selected nodes */
    uint32_t busy; /* nodes between swap and verdict, with a turn, or with a write on its way */
    bool fenced;   /* each EdgeNode that may get a turn has our epoch */
};

/* Fills groups[n], sorted by hash, fenced, with counts of 0; returns their number. */
size_t hf_turn_groups(const struct hf_turn_candidate *candidates, size_t n, struct hf_turn_group *groups);
struct hf_turn_group *hf_turn_group(struct hf_turn_group *groups, size_t n, uint32_t hash);

/* Whether one more node of the group may swap; if so, counts it as busy. */
bool hf_turn_may(struct hf_turn_group *group, const struct hf_share *max_unavailable);

struct hf_turn_facts {
    bool has_entry;      /* with this digest */
    int phase;           /* enum hf_phase */
    bool waits_for_site; /* such as for a window, its hold or spec.suspend */
    bool moved_on;       /* to another digest */
    bool release_wanted; /* an EdgeUpdate that selects the node wants it */
    bool not_admitted;   /* the node waits, and no stage of the rollout has reached it */
    bool is_silent;      /* its report is overdue */
    bool freed;
};

/* Whether the turn is over. It stays if the node fell silent before its verdict, until an operator frees it. */
bool hf_turn_is_over(const struct hf_turn_facts *facts);
