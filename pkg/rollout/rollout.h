/* SPDX-License-Identifier: Apache-2.0 */
/* rollout/rollout.h - the rollout of one release. The functions decide, from the strategy, the counts and the elapsed
 * time, whether the next stage opens or the rollout halts, and make the conditions. Pure.
 *
 *     Canary -> CanarySoak -> Wave 1 -> WaveSoak 1 -> Wave 2 -> ... -> Complete
 *
 * A stage is open (Canary, Wave) until it settles. It settles when no admitted node is on its way, no more nodes have
 * failed than allowed, and enough nodes of the stage have succeeded (strategy.minUpdated). Then the stage soaks, and
 * then the next stage opens. One step opens at most one stage. While a rollout is Halted or Paused, no stage opens. A
 * settled stage stays settled when a node returns, and the soak counts only time during which a leader watched.
 *
 * The share that the stage has reached (`cutoff`) decides which wave opens next, and not the number of the wave. So
 * after an operator has edited the list, no wave repeats and no admission ends.
 *
 * A share of the slots is not that share of the nodes: of three nodes, all may have slots below 5000. So a wave admits
 * the slots up to `slots`, which is chosen once, when the wave opens, from the slots of all nodes that are known then.
 * Nodes that join later are judged by the same number, and it never goes back. */
#pragma once

#include "api/edgeupdate.h"
#include "rollout/counts.h"

enum {
    HF_ROLLOUT_TOKEN = 254,   /* size in bytes of a resume token, with the terminator; a longer token is cut */
    HF_ROLLOUT_REASON = 64,   /* size in bytes of a reason, with the terminator */
    HF_ROLLOUT_MESSAGE = 512, /* size in bytes of a message, with the terminator */
    HF_ROLLOUT_ALL_SLOTS = 10000,
};

enum hf_rollout_phase {
    HF_ROLLOUT_CANARY,
    HF_ROLLOUT_CANARY_SOAK,
    HF_ROLLOUT_WAVE,
    HF_ROLLOUT_WAVE_SOAK,
    HF_ROLLOUT_COMPLETE,
    HF_ROLLOUT_PAUSED,
    HF_ROLLOUT_HALTED,
    HF_ROLLOUT_PHASES,
};

const char *hf_rollout_phase_name(enum hf_rollout_phase phase);

/* The part of an EdgeUpdate that controls its rollout. The strings belong to the EdgeUpdate. */
struct hf_rollout_spec {
    const char *name; /* of the EdgeUpdate, for the messages */
    const char *digest;
    bool has_canary, canary_mandatory;
    uint64_t canary_soak_ns;
    struct hf_wave waves[HF_MAX_WAVES]; /* at least one */
    size_t n_waves;
    struct hf_share max_failures, min_updated;
    uint64_t min_updated_after_ns; /* time in an open stage after which one updated node is enough; 0 means never */
    bool suspend, paused;
    /* reason of an operator's halt, the value of HF_ROLLOUT_HALTED_ANNOTATION; NULL without this annotation */
    const char *halt;
    const char *resume; /* token, the value of HF_ROLLOUT_RESUME_ANNOTATION; "" without this annotation */
};

/* Fills the spec from an EdgeUpdate and its annotations. Without waves, the spec gets one wave of 100 %. */
void hf_rollout_spec_of(const struct hf_edgeupdate *update, struct hf_rollout_spec *ret_spec);

/* The state of a rollout, which status.rollout keeps. */
struct hf_rollout_state {
    char digest[65];
    unsigned wave;         /* number of the wave, counted from 1; 0 means the canary */
    unsigned cutoff;       /* share of the nodes that the stages so far admit, in basis points; 0 during the canary */
    unsigned slots;        /* the stages so far admit the slots below this number */
    unsigned slots_before; /* the stages before the present one admit the slots below this number */
    bool settled;          /* the present stage has settled */
    bool halted;           /* the rollout halted by itself, not because of an operator; `reason` has the cause */
    char reason[HF_ROLLOUT_REASON];
    uint64_t soaked_ns; /* time for which the present stage has soaked */
    /* time for which the present stage was open before it settled; halts and times of spec.suspend do not count */
    uint64_t waited_ns;
    unsigned forgiven;              /* failed nodes that the last resume accepted and that still count as failed */
    char resumed[HF_ROLLOUT_TOKEN]; /* last resume token that this rollout has taken */
    uint64_t epoch;                 /* epoch of the leader that wrote this state */
    uint64_t start_unix_ns;
};

/* The slots of the nodes that a rollout selects. */
struct hf_rollout_ranks {
    uint32_t selected, canaries;          /* number of selected nodes; number of canaries among them */
    uint32_t nodes[HF_ROLLOUT_ALL_SLOTS]; /* for each slot, how many nodes have it that are no canaries */
};

/* Call this function when a wave has opened. Sets state->slots so that the wave, all before it and the canaries admit
 * the share state->cutoff of the nodes, rounded down, but at least one node. Nodes of one slot are admitted together:
 * if they would exceed the share, none of them is. Never goes back below state->slots_before. */
void hf_rollout_fit_wave(struct hf_rollout_state *state, const struct hf_rollout_ranks *ranks);

/* Returns the state at the start of a rollout. If a wave is open at once, `slots` is not fitted yet. */
struct hf_rollout_state hf_rollout_begin(const struct hf_rollout_spec *spec, uint64_t epoch, uint64_t now_unix_ns);

/* _encode returns status.rollout without waitingFor and trouble, or NULL if memory runs out. _decode never fails: it
 * replaces an invalid value by the value that admits the fewest nodes. If the object is absent, _decode sets the digest
 * "". */
json_t *hf_rollout_state_encode(const struct hf_rollout_state *state, enum hf_rollout_phase phase);
void hf_rollout_state_decode(const json_t *json, struct hf_rollout_state *ret_state);

/* Returns true if the two states differ at most in soaked_ns, waited_ns and start_unix_ns. */
bool hf_rollout_same_state(const struct hf_rollout_state *a, const struct hf_rollout_state *b);

/* The content of the conditions. */
struct hf_rollout_verdict {
    bool ready, reconciling, stalled;
    char reason[HF_ROLLOUT_REASON];
    char message[HF_ROLLOUT_MESSAGE];
};

/* The changes that one step makes (flags). Each becomes a Kubernetes Event. The comment behind each flag is the reason
 * of this Event. */
enum hf_rollout_news {
    HF_ROLLOUT_NEWS_NONE = 0,
    HF_ROLLOUT_NEWS_SETTLED = 1,  /* StageSettled */
    HF_ROLLOUT_NEWS_ADMITTED = 2, /* StageAdmitted */
    HF_ROLLOUT_NEWS_HALTED = 4,   /* RolloutHalted */
    HF_ROLLOUT_NEWS_RESUMED = 8,  /* RolloutResumed */
    HF_ROLLOUT_NEWS_COMPLETE = 16 /* RolloutComplete */
};

struct hf_rollout_decision {
    struct hf_rollout_state state;
    enum hf_rollout_phase phase;
    struct hf_rollout_verdict verdict;
    unsigned news; /* flags of enum hf_rollout_news */
    /* values of status.admission; while the rollout is halted, they are 0 and false */
    unsigned admission_cutoff;
    bool admission_canary;
    bool grants; /* nodes may get turns */
    /* Time until the soak ends, or until minUpdatedAfter has passed; HF_NEVER if neither is pending. */
    uint64_t left_ns;
};

/* Decides on the next state. If the step opens a wave (HF_ROLLOUT_NEWS_ADMITTED), fit it: hf_rollout_fit_wave().
 * `counts` must be the counts for `state`. `elapsed_ns` is the time since this leader's last step; 0 for its first
 * step. */
void hf_rollout_step(const struct hf_rollout_spec *spec, const struct hf_rollout_state *state,
                     const struct hf_rollout_counts *counts, uint64_t elapsed_ns,
                     struct hf_rollout_decision *ret_decision);

/* Like hf_rollout_step(), but keeps the state and reports no news: decides only on phase, conditions, admission,
 * `grants` and `left_ns`. */
void hf_rollout_look(const struct hf_rollout_spec *spec, const struct hf_rollout_state *state,
                     const struct hf_rollout_counts *counts, struct hf_rollout_decision *ret_decision);

/* Makes the conditions of an EdgeUpdate without a strategy. */
void hf_rollout_plain_verdict(const struct hf_rollout_counts *counts, bool suspend,
                              struct hf_rollout_verdict *ret_verdict);

/* Returns how many failures maxFailures allows now. The forgiven failures of the state are not in this number; they are
 * allowed, too. */
unsigned hf_rollout_allowed(const struct hf_rollout_spec *spec, const struct hf_rollout_counts *counts);
/* Returns how many nodes of the present stage must have updated before the stage settles; 0 if every node has failed or
 * is exempt. */
unsigned hf_rollout_needed(const struct hf_rollout_spec *spec, const struct hf_rollout_state *state,
                           const struct hf_rollout_counts *counts);
