/* SPDX-License-Identifier: Apache-2.0 */
/* rollout/turns.h - decides which nodes may swap now. The functions apply the rules for one group of nodes, and the
 * rules for the end of one turn. Pure.
 *
 * A turn is the right of one node to swap one release (EdgeNode.spec.turns). It counts in the node's group from the
 * moment at which the engine plans to write the turn until the controller takes the turn back, usually after the node
 * has reported a verdict. */
#pragma once

#include "api/field/field.h"

/* A node that waits for its turn. */
struct hf_turn_candidate {
    uint32_t node;
    uint32_t group;   /* hash of the value of the group's label; 0 without the label */
    uint32_t since_s; /* time at which the wait began (hf_fleet_seconds()) */
    uint32_t slot;
};

/* Sorts the candidates: the node that has waited longest comes first. Ties go to the lower `slot`, then to the lower
 * `node`. */
void hf_turn_sort(struct hf_turn_candidate *candidates, size_t n);

/* A group in which at least one node waits for its turn. */
struct hf_turn_group {
    uint32_t hash;
    uint32_t size; /* selected nodes of the group */
    /* nodes that are between swap and verdict, have a turn, or have a write of their EdgeNode on its way */
    uint32_t busy;
    /* true if no former leader can give a turn in the group any more, because each EdgeNode of the group that might get
     * one has the epoch of this leader */
    bool fenced;
};

/* Fills groups[] with the different groups of the candidates, sorted by hash, with fenced = true and all counts 0.
 * Returns the number of groups. groups[] must have space for n groups. */
size_t hf_turn_groups(const struct hf_turn_candidate *candidates, size_t n, struct hf_turn_group *groups);
/* Returns the group with this hash, or NULL. */
struct hf_turn_group *hf_turn_group(struct hf_turn_group *groups, size_t n, uint32_t hash);

/* If one more node of the group may have a turn, counts the node as busy and returns true. */
bool hf_turn_may(struct hf_turn_group *group, const struct hf_share *max_unavailable);

/* The facts that decide if a turn ends. */
struct hf_turn_facts {
    bool has_entry;      /* the node reports this digest */
    int phase;           /* enum hf_phase of this entry */
    bool waits_for_site; /* the entry waits for a window, for a hold or for spec.suspend */
    bool moved_on;       /* the node reports another digest for the release */
    bool release_wanted; /* an EdgeUpdate has this digest */
    bool is_silent;      /* the node has missed several reports */
    bool freed;          /* an operator's annotation frees the turn */
};

/* Returns true if the controller must take the turn back. A node that fell silent before its verdict keeps its turn
 * until an operator frees the turn. */
bool hf_turn_is_over(const struct hf_turn_facts *facts);
