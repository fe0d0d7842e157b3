/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of nodes in a rollout, and their counts. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rollout/fleet.h"

/* What a node counts as in a rollout; hf_rollout_classify() tests in a fixed order (docs/DESIGN.md, "Rollouts"). */
enum hf_rollout_class {
    HF_CLASS_OUTSIDE,    /* not selected, or neither admitted nor begun */
    HF_CLASS_SUPERSEDED, /* another object of the release name has replaced this one */
    HF_CLASS_UPDATED,    /* Committed without failure, or repairing after that */
    HF_CLASS_FAILED,     /* hf_reason_is_failure(): such as RolledBack or Rejected */
    HF_CLASS_OVERDUE,    /* has worked for longer than progressDeadline */
    HF_CLASS_INCOMPATIBLE,
    HF_CLASS_UNKNOWN, /* parked: silent longer than unknownAfter */
    HF_CLASS_HELD,    /* parked: its site holds it, or went back from this release */
    HF_CLASS_EXCUSED, /* updating; waits without fault, such as for a window */
    HF_CLASS_TURN,
    HF_CLASS_UPDATING,
    HF_CLASS_COUNT,
};

struct hf_rollout_facts {
    bool selected;
    bool reached;
    bool superseded;
    /* was Committed, and waits for no turn or window: its other phases are repairs */
    bool was_updated;
    bool has_entry; /* status.updates has this digest */
    int phase;      /* enum hf_phase */
    bool failed;    /* hf_reason_is_failure() */
    enum hf_fleet_wait wait;
    bool heard_ever;
    uint64_t silent_ns;  /* since the last new report or, without one, since this process knows the node */
    uint64_t working_ns; /* seen by this process: since admission, or the last wait or silence */
};

struct hf_rollout_limits {
    uint64_t unknown_after_ns;
    uint64_t progress_deadline_ns;
};

HF_MUST_USE enum hf_rollout_class hf_rollout_classify(const struct hf_rollout_facts *facts,
                                                      const struct hf_rollout_limits *limits);
/* Whether a node in this phase has begun: it was admitted once, even if it is not now. */
bool hf_rollout_has_begun(int phase);

struct hf_rollout_counts {
    uint32_t selected, admitted, updated, updating, failed, incompatible, unknown, superseded;
    bool partial;       /* `failed` may lack nodes overdue before this process began */
    uint32_t held;      /* part of `unknown`: HF_CLASS_HELD */
    uint32_t open;      /* part of `updating`: admitted; stages wait for these */
    uint32_t turn;      /* part of `updating`: waiting for a turn */
    uint32_t overdue;   /* part of `failed` */
    uint32_t ungrouped; /* selected nodes without the label of strategy.disruption.groupBy */
    uint32_t canary_failed;
    uint32_t canary_open; /* canaries neither updated, incompatible nor superseded */
    uint32_t canaries;
    /* Nodes that the present stage added; incompatible and superseded ones are exempt: */
    uint32_t stage_nodes, stage_updated, stage_failed, stage_parked, stage_exempt;
};

struct hf_rollout_place {
    bool is_canary;
    bool is_reached;
    bool is_of_stage;
};

void hf_rollout_count(struct hf_rollout_counts *counts, enum hf_rollout_class class_,
                      const struct hf_rollout_place *place);
