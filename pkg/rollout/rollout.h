/* rollout/rollout.h - the rollout of one release: from the strategy, the counts and the time that has passed to the
 * next stage, a halt, and the words for people. Pure.
 *
 *     Canary -> CanarySoak -> Wave 1 -> WaveSoak 1 -> Wave 2 -> ... -> Complete
 *
 * A stage is open (Canary, Wave) until it has settled: no admitted node is on its way, not more nodes have failed
 * than allowed, and at least one node of the stage has succeeded. Then the stage soaks, and then the next one
 * opens. One step opens at most one stage. Halted and Paused lie over this: the stage below stays as it is. A
 * settled stage stays settled when a node returns, and the soak counts only time during which a leader watched.
 *
 * The stage is kept as the share of slots that it has reached (`cutoff`), not as its place in the list of waves, so
 * that a list that an operator edits repeats nothing and takes nothing back. */
#pragma once

#include "api/edgeupdate.h"
#include "rollout/counts.h"

enum {
    HF_ROLLOUT_TOKEN = 254,   /* length of a resume token, with the terminator; a longer one is cut */
    HF_ROLLOUT_REASON = 64,   /* length of a reason, with the terminator */
    HF_ROLLOUT_MESSAGE = 512, /* length of a message, with the terminator */
    HF_ROLLOUT_ALL_SLOTS = 10000,
};

#define HF_ROLLOUT_PAUSED_ANNOTATION "edge.codcompass.io/rollout-paused"
#define HF_ROLLOUT_HALTED_ANNOTATION "edge.codcompass.io/rollout-halted"
#define HF_ROLLOUT_RESUME_ANNOTATION "edge.codcompass.io/rollout-resume"

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

/* What the object asks for. The strings belong to the object. */
struct hf_rollout_spec {
    const char *digest;
    bool has_canary, canary_mandatory;
    uint64_t canary_soak_ns;
    struct hf_wave waves[HF_MAX_WAVES]; /* at least one */
    size_t n_waves;
    struct hf_share max_failures;
    bool suspend, paused;
    const char *halt;   /* the operator's reason to halt; NULL without the annotation */
    const char *resume; /* token of the annotation; "" without it */
};

/* Fills the spec from an EdgeUpdate and its annotations. Without waves there is one of 100 %. */
void hf_rollout_spec_of(const struct hf_edgeupdate *update, struct hf_rollout_spec *ret_spec);

/* What status.rollout keeps. */
struct hf_rollout_state {
    char digest[65];
    unsigned wave;   /* number of the wave for people; 0: the canary */
    unsigned cutoff; /* slots that the stages so far have reached; 0 during the canary */
    bool settled;    /* the present stage has settled */
    bool halted;     /* it halted by itself; `reason` says why */
    char reason[HF_ROLLOUT_REASON];
    uint64_t soaked_ns; /* for how long the present stage has soaked */
    unsigned forgiven;  /* failures that resumes have accepted */
    char resumed[HF_ROLLOUT_TOKEN];
    uint64_t epoch;
    uint64_t start_unix_ns;
};

/* Returns the state at the start of a rollout. */
struct hf_rollout_state hf_rollout_begin(const struct hf_rollout_spec *spec, uint64_t epoch, uint64_t now_unix_ns);

/* Makes status.rollout (without waitingFor), or NULL without memory; and decodes it. Decoding never fails: a value that
 * makes no sense becomes the one that admits less. An absent object has the digest "". */
json_t *hf_rollout_state_encode(const struct hf_rollout_state *state, enum hf_rollout_phase phase);
void hf_rollout_state_decode(const json_t *json, struct hf_rollout_state *ret_state);

/* Returns true if the two differ at most in the soaked time and in the start. */
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
    bool grants;      /* turns may be given */
    uint64_t left_ns; /* time until the soak ends; HF_NEVER if nothing but an event can change the decision */
};

/* Decides. `counts` are those of the state; `elapsed_ns` is the time since the last step of this leader, or 0. */
void hf_rollout_step(const struct hf_rollout_spec *spec, const struct hf_rollout_state *state,
                     const struct hf_rollout_counts *counts, uint64_t elapsed_ns,
                     struct hf_rollout_decision *ret_decision);

/* Describes a state without changing it: phase, conditions and admission. */
void hf_rollout_look(const struct hf_rollout_spec *spec, const struct hf_rollout_state *state,
                     const struct hf_rollout_counts *counts, struct hf_rollout_decision *ret_decision);

/* The conditions of an EdgeUpdate without strategy. */
void hf_rollout_plain_verdict(const struct hf_rollout_counts *counts, bool suspend,
                              struct hf_rollout_verdict *ret_verdict);

/* Returns how many failures are allowed now, without the forgiven ones. */
unsigned hf_rollout_allowed(const struct hf_rollout_spec *spec, const struct hf_rollout_counts *counts);
