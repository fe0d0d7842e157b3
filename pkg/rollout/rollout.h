/* rollout/rollout.h - the rollout of one release. From the strategy, the counts and the elapsed time, decides whether
 * the next stage opens or the rollout halts, and writes the conditions. Pure.
 *
 *     Canary -> CanarySoak -> Wave 1 -> WaveSoak 1 -> Wave 2 -> ... -> Complete
 *
 * A stage is open (Canary, Wave) until it has settled: no admitted node is on its way, no more nodes have failed than
 * allowed, and enough nodes of the stage have succeeded (strategy.minUpdated). Then the stage soaks, and then the next
 * stage opens. One step opens at most one stage. While a rollout is Halted or Paused, no stage opens. A settled stage
 * stays settled when a node returns, and the soak counts only time during which a leader watched.
 *
 * The state contains the share of slots that the stage has reached (`cutoff`), not the index in the list of waves. So
 * after an operator has edited the list, no wave repeats and no admission ends. */
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

/* What the EdgeUpdate asks for. The strings belong to the EdgeUpdate. */
struct hf_rollout_spec {
    const char *digest;
    bool has_canary, canary_mandatory;
    uint64_t canary_soak_ns;
    struct hf_wave waves[HF_MAX_WAVES]; /* at least one */
    size_t n_waves;
    struct hf_share max_failures, min_updated;
    uint64_t min_updated_after_ns; /* 0: never */
    bool suspend, paused;
    const char *halt;   /* the operator's reason to halt; NULL without the annotation */
    const char *resume; /* token of the annotation; "" without it */
};

/* Fills the spec from an EdgeUpdate and its annotations. Without waves, the spec gets one wave of 100 %. */
void hf_rollout_spec_of(const struct hf_edgeupdate *update, struct hf_rollout_spec *ret_spec);

/* What status.rollout keeps. */
struct hf_rollout_state {
    char digest[65];
    unsigned wave;   /* number of the wave, as people see it; 0: the canary */
    unsigned cutoff; /* slots that the stages so far have reached; 0 during the canary */
    bool settled;    /* the present stage has settled */
    bool halted;     /* the rollout halted by itself (not by the operator); `reason` says why */
    char reason[HF_ROLLOUT_REASON];
    uint64_t soaked_ns; /* time for which the present stage has soaked */
    /* time for which the present stage was open before it settled, without halts and spec.suspend */
    uint64_t waited_ns;
    unsigned forgiven; /* failed nodes that the last resume accepted and that still count as failed */
    char resumed[HF_ROLLOUT_TOKEN];
    uint64_t epoch;
    uint64_t start_unix_ns;
};

/* Returns the state at the start of a rollout. */
struct hf_rollout_state hf_rollout_begin(const struct hf_rollout_spec *spec, uint64_t epoch, uint64_t now_unix_ns);

/* _encode makes status.rollout (without waitingFor); NULL if memory runs out. _decode never fails: it replaces an
 * invalid value by the value that admits fewest nodes. From an absent object, it makes a state with the digest "". */
json_t *hf_rollout_state_encode(const struct hf_rollout_state *state, enum hf_rollout_phase phase);
void hf_rollout_state_decode(const json_t *json, struct hf_rollout_state *ret_state);

/* Returns true if the two states differ at most in soaked_ns, waited_ns and start_unix_ns. */
bool hf_rollout_same_state(const struct hf_rollout_state *a, const struct hf_rollout_state *b);

/* What the conditions say. */
struct hf_rollout_verdict {
    bool ready, reconciling, stalled;
    char reason[HF_ROLLOUT_REASON];
    char message[HF_ROLLOUT_MESSAGE];
};

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
    unsigned news; /* enum hf_rollout_news, several at once */
    unsigned admission_cutoff;
    bool admission_canary;
    bool grants; /* nodes may get turns */
    /* Time until the soak ends, or until minUpdatedAfter has passed; HF_NEVER if neither is pending. */
    uint64_t left_ns;
};

/* Decides on the next state. `counts` must be the counts for `state`. `elapsed_ns` is the time since this leader's last
 * step; 0 for its first step. */
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

/* Returns how many failures maxFailures allows now. The state's forgiven failures come on top. */
unsigned hf_rollout_allowed(const struct hf_rollout_spec *spec, const struct hf_rollout_counts *counts);
/* Returns how many nodes of the present stage must have updated before the stage settles; 0 if every node has failed or
 * is exempt. */
unsigned hf_rollout_needed(const struct hf_rollout_spec *spec, const struct hf_rollout_state *state,
                           const struct hf_rollout_counts *counts);
