/* rollout/turns.h - who may swap now: the rules for one group of nodes and for one turn. Pure.
 *
 * A turn is the right of one node to swap one release (EdgeNode.spec.turns). It counts in the node's group from the
 * moment in which its write is planned until the node reports a verdict. */
#pragma once

#include "api/field/field.h"

/* A node that waits for its turn. */
struct hf_turn_candidate {
    uint32_t node;
    uint32_t group;   /* hash of the value of the group's label; 0 without the label */
    uint32_t since_s; /* time since which it waits */
    uint32_t slot;
};

/* Sorts: the longest waiting first; then by slot, then by number. */
void hf_turn_sort(struct hf_turn_candidate *candidates, size_t n);

/* A group in which somebody waits. */
struct hf_turn_group {
    uint32_t hash;
    uint32_t size; /* selected nodes of the group */
    uint32_t busy; /* nodes between swap and verdict, or with a turn */
    bool fenced;   /* every node of the group to which another leader might give a turn has our epoch */
};

/* Fills groups[] with the different groups of the candidates, sorted and fenced; returns their number. groups[] has
 * room for n. */
size_t hf_turn_groups(const struct hf_turn_candidate *candidates, size_t n, struct hf_turn_group *groups);
/* Returns the group with this hash, or NULL. */
struct hf_turn_group *hf_turn_group(struct hf_turn_group *groups, size_t n, uint32_t hash);

/* Returns true if one more node of the group may have a turn, and counts it as busy. */
bool hf_turn_may(struct hf_turn_group *group, const struct hf_share *max_unavailable);

/* What decides about the end of a turn. */
struct hf_turn_facts {
    bool has_entry;      /* the node reports this digest */
    int phase;           /* enum hf_phase of this entry */
    bool waits_for_site; /* the entry waits for a window, for a hold or for spec.suspend */
    bool moved_on;       /* the node reports another digest for the release */
    bool release_wanted; /* an EdgeUpdate has this digest */
    bool is_silent;      /* the node has missed several reports */
    bool freed;          /* the annotation of an operator frees the turn */
};

/* Returns true if the turn is taken back. A silent holder keeps its turn, unless an operator frees it. */
bool hf_turn_is_over(const struct hf_turn_facts *facts);
