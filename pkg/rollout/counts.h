/* SPDX-License-Identifier: Apache-2.0 */
/* rollout/counts.h - puts each node into one class for a rollout, such as updated or failed, and counts the nodes of
 * the fleet by class. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rollout/fleet.h"

/* The class of a node in one rollout (docs/DESIGN.md, "Rollouts"). hf_rollout_classify() tests rules in a fixed order;
 * the first rule that holds decides. */
enum hf_rollout_class {
    HF_CLASS_OUTSIDE,      /* not selected, or not admitted and without a begun update */
    HF_CLASS_SUPERSEDED,   /* selected, but another object of the same release name has taken the node */
    HF_CLASS_UPDATED,      /* Committed, or was Committed before and now repairs the installed file */
    HF_CLASS_FAILED,       /* RolledBack or Rejected, or RollingBack after a verdict (hf_reason_is_failure()) */
    HF_CLASS_OVERDUE,      /* counts as failed: the node reports, but has worked for longer than progressDeadline */
    HF_CLASS_INCOMPATIBLE, /* the release has nothing for this node */
    HF_CLASS_UNKNOWN,      /* parked: silent for longer than unknownAfter */
    HF_CLASS_HELD,         /* parked: the site holds updates */
    HF_CLASS_EXCUSED,      /* updating, and waits for something that is not its fault, such as a window */
    HF_CLASS_TURN,         /* updating, and waits for its turn */
    HF_CLASS_UPDATING,     /* updating */
    HF_CLASS_COUNT,
};

/* The facts about one node. Times are durations in nanoseconds. */
struct hf_rollout_facts {
    bool selected;   /* spec.nodeSelector matches the node's labels */
    bool reached;    /* the stages so far admit it */
    bool superseded; /* another object of the same release name has taken this node, as the node itself reports */
    /* the node has reported Committed before, and has an entry that waits neither for a turn nor for a window; if it
     * reports another phase now, it repairs the installed file */
    bool was_updated;
    bool has_entry;          /* status.updates has an entry with the digest of this release */
    int phase;               /* enum hf_phase of this entry */
    bool failed;             /* the entry says that the release failed (hf_reason_is_failure()) */
    enum hf_fleet_wait wait; /* what the entry waits for */
    bool heard_ever;         /* the node has an EdgeNode with a status */
    /* time since the node's last new report; before the first report, time since this process first saw the node */
    uint64_t silent_ns;
    /* time for which this process has seen the node work: since the node was admitted, or since its last wait (window,
     * hold, turn) or silence ended */
    uint64_t working_ns;
};

struct hf_rollout_limits {
    uint64_t unknown_after_ns;
    uint64_t progress_deadline_ns; /* 0 means no deadline */
};

HF_MUST_USE enum hf_rollout_class hf_rollout_classify(const struct hf_rollout_facts *facts,
                                                      const struct hf_rollout_limits *limits);
/* Returns true if a node reaches this phase (enum hf_phase) only after it was admitted. The node has then begun, even
 * if the selectors or waves no longer admit it. */
bool hf_rollout_has_begun(int phase);
const char *hf_rollout_class_name(enum hf_rollout_class class_);

struct hf_rollout_counts {
    uint32_t selected, admitted, updated, updating, failed, incompatible, unknown, superseded;
    /* true: `failed` may lack nodes that missed progressDeadline, because this process began to watch recently */
    bool partial;
    uint32_t held; /* part of `unknown`: nodes that a site holds */
    /* part of `updating`: nodes that the stages so far admit. No stage waits for a node that is not admitted, even if
     * the node reports that it has begun. */
    uint32_t open;
    uint32_t turn;          /* part of `updating`: nodes that wait for their turn */
    uint32_t overdue;       /* part of `failed`: nodes that missed progressDeadline */
    uint32_t ungrouped;     /* selected nodes without the label that strategy.disruption.groupBy names */
    uint32_t canary_failed; /* part of `failed`: canaries */
    uint32_t canary_open;   /* canaries that are neither updated, incompatible nor superseded */
    uint32_t canaries;      /* selected nodes that the canary selector selects */
    /* Counts of the nodes that the present stage has added: */
    uint32_t stage_nodes, stage_updated, stage_failed, stage_parked,
        stage_exempt; /* exempt: incompatible, superseded */
};

/* The place of a node in the strategy. */
struct hf_rollout_place {
    bool is_canary;
    bool is_reached;  /* the stages so far admit it */
    bool is_of_stage; /* the present stage has added it */
};

/* Adds one selected node to the sums. */
void hf_rollout_count(struct hf_rollout_counts *counts, enum hf_rollout_class class_,
                      const struct hf_rollout_place *place);
