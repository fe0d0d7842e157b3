/* rollout/counts.h - what a node counts as in one rollout, and the sums over the fleet. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rollout/fleet.h"

/* What a selected node counts as. The first rule that holds decides (docs/DESIGN.md, "Rollouts"). */
enum hf_rollout_class {
    HF_CLASS_OUTSIDE,      /* not selected, or not admitted and not begun */
    HF_CLASS_SUPERSEDED,   /* a higher sequence of the same release name takes the node */
    HF_CLASS_UPDATED,      /* Committed */
    HF_CLASS_FAILED,       /* RolledBack, RollingBack or Rejected */
    HF_CLASS_OVERDUE,      /* failed: it is heard, and took longer than progressDeadline */
    HF_CLASS_INCOMPATIBLE, /* the release has nothing for this node */
    HF_CLASS_UNKNOWN,      /* parked: silent for longer than unknownAfter */
    HF_CLASS_HELD,         /* parked: the site holds updates */
    HF_CLASS_EXCUSED,      /* updating, and waits for something that is not its fault: window, suspend */
    HF_CLASS_TURN,         /* updating, and waits for its turn */
    HF_CLASS_UPDATING,     /* updating */
    HF_CLASS_COUNT,
};

/* The facts about one node. Times are durations in nanoseconds. */
struct hf_rollout_facts {
    bool selected;           /* spec.nodeSelector matches its labels */
    bool reached;            /* the stages so far admit it */
    bool superseded;         /* another object of the same release name takes this node */
    bool was_updated;        /* it has reported Committed before: what it does now is a repair */
    bool has_entry;          /* status.updates has an entry with the digest of this release */
    int phase;               /* enum hf_phase of this entry */
    enum hf_fleet_wait wait; /* what the entry waits for */
    bool heard_ever;         /* the node has an EdgeNode with a status */
    uint64_t silent_ns;      /* time since its last new report; without a report, since it was admitted */
    uint64_t working_ns;     /* time since it was admitted or last came back from a wait that is not its fault */
};

struct hf_rollout_limits {
    uint64_t unknown_after_ns;
    uint64_t progress_deadline_ns; /* 0: none */
};

HF_MUST_USE enum hf_rollout_class hf_rollout_classify(const struct hf_rollout_facts *facts,
                                                      const struct hf_rollout_limits *limits);
/* Returns true if a node is in this phase (enum hf_phase) only after an admission, whatever the selectors say now. */
bool hf_rollout_has_begun(int phase);
const char *hf_rollout_class_name(enum hf_rollout_class class_);

struct hf_rollout_counts {
    uint32_t selected, admitted, updated, updating, failed, incompatible, unknown, superseded;
    bool partial;  /* nodes that missed progressDeadline may be missing, because this process has not watched long */
    uint32_t held; /* of `unknown`: because of a site's hold */
    /* of `updating`: the stages so far admit them. A node that only says that it has begun holds up no stage. */
    uint32_t open;
    uint32_t turn;          /* of `updating`: wait for their turn */
    uint32_t overdue;       /* of `failed`: because of progressDeadline */
    uint32_t ungrouped;     /* selected nodes without the label of strategy.disruption.groupBy */
    uint32_t canary_failed; /* of `failed`: canaries */
    uint32_t canary_open;   /* canaries that are neither updated, incompatible nor superseded */
    uint32_t canaries;      /* selected nodes that the canary selector selects */
    /* The nodes that the present stage added to those of the stages before: */
    uint32_t stage_nodes, stage_updated, stage_failed, stage_parked,
        stage_exempt; /* exempt: incompatible, superseded */
};

/* Where a node stands in the strategy. */
struct hf_rollout_place {
    bool is_canary;
    bool is_reached;  /* the stages so far admit it */
    bool is_of_stage; /* the present stage has added it */
};

/* Adds one selected node to the sums. */
void hf_rollout_count(struct hf_rollout_counts *counts, enum hf_rollout_class class_,
                      const struct hf_rollout_place *place);
