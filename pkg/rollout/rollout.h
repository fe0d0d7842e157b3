/* SPDX-License-Identifier: Apache-2.0 */
/* Decides whether the next stage of a rollout opens, or the rollout halts. Also makes the conditions. Pure.
 *
 *     Canary -> CanarySoak -> Wave 1 -> WaveSoak 1 -> Wave 2 -> ... -> Complete */
#pragma once

#include "api/edgeupdate.h"
#include "rollout/counts.h"

enum {
    HF_ROLLOUT_TOKEN = 254, /* longer texts are cut */
    HF_ROLLOUT_REASON = 64,
    HF_ROLLOUT_MESSAGE = 512,
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

/* Its strings are the EdgeUpdate's. */
struct hf_rollout_spec {
    const char *name;
    const char *digest;
    const char *selector; /* hash of nodeSelector */
    bool has_canary, canary_mandatory;
    uint64_t canary_soak_ns;
    struct hf_wave waves[HF_MAX_WAVES]; /* at least one */
    size_t n_waves;
    struct hf_share max_failures, min_updated;
    uint64_t min_updated_after_ns; /* after this time one updated node is enough; 0: never */
    bool suspend, paused;
    const char *halt;   /* HF_ROLLOUT_HALTED_ANNOTATION, or NULL */
    const char *resume; /* HF_ROLLOUT_RESUME_ANNOTATION, or "" */
};

/* An update without waves gets one of 100 %. */
void hf_rollout_spec_of(const struct hf_edgeupdate *update, struct hf_rollout_spec *ret_spec);

struct hf_rollout_state {
    char digest[65];
    char selector[17];     /* hash of nodeSelector; in status.admission */
    unsigned wave;         /* from 1; 0: canary */
    unsigned cutoff;       /* share reached, in basis points; 0: canary */
    unsigned slots;        /* slots below this are admitted */
    unsigned slots_before; /* `slots` before this stage */
    bool settled;
    bool halted; /* halted by itself, for `reason` */
    char reason[HF_ROLLOUT_REASON];
    uint64_t soaked_ns;
    uint64_t waited_ns;             /* how long the stage was open before it settled, without halts and spec.suspend */
    unsigned forgiven;              /* nodes that still fail, but were accepted by the last resume */
    char resumed[HF_ROLLOUT_TOKEN]; /* last resume token that was taken */
    uint64_t epoch;
    uint64_t start_unix_ns;
};

/* Counts of selected nodes. */
struct hf_rollout_ranks {
    uint32_t selected, canaries;
    uint32_t nodes[HF_ROLLOUT_ALL_SLOTS]; /* by slot, without canaries */
};

/* Called after a wave has opened: sets state->slots so that all stages and canaries admit the share state->cutoff
 * (rounded down, but at least one node). Nodes of one slot are admitted together; beyond the share only if no others
 * are. state->slots never falls below state->slots_before. */
void hf_rollout_fit_wave(struct hf_rollout_state *state, const struct hf_rollout_ranks *ranks);

/* Begins with the first stage, for a new release or a new nodeSelector. A halt of the same release in `before` stays,
 * with what was forgiven. A wave that opens at once still needs hf_rollout_fit_wave(). */
struct hf_rollout_state hf_rollout_begin(const struct hf_rollout_spec *spec, const struct hf_rollout_state *before,
                                         uint64_t epoch, uint64_t now_unix_ns);

/* Encode status.rollout, without waitingFor and trouble, and decode it. Invalid values become those that admit fewest,
 * invalid `slots` become `cutoff`; without a valid digest all is zero. */
json_t *hf_rollout_state_encode(const struct hf_rollout_state *state, enum hf_rollout_phase phase);
void hf_rollout_state_decode(const json_t *json, struct hf_rollout_state *ret_state);

/* Compares all but selector, soaked_ns, waited_ns and start_unix_ns. */
bool hf_rollout_same_state(const struct hf_rollout_state *a, const struct hf_rollout_state *b);

struct hf_rollout_verdict {
    bool ready, reconciling, stalled;
    char reason[HF_ROLLOUT_REASON];
    char message[HF_ROLLOUT_MESSAGE];
};

/* Flags; each is an Event: */
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
    unsigned news;
    unsigned admission_cutoff; /* 0 while halted */
    bool admission_canary;
    bool grants;      /* nodes may get turns */
    uint64_t left_ns; /* time left of the soak or minUpdatedAfter, or HF_NEVER */
};

/* Takes one step. After HF_ROLLOUT_NEWS_ADMITTED call hf_rollout_fit_wave(). `counts`: for `state`; elapsed_ns: since
 * this leader's last step, or 0. */
void hf_rollout_step(const struct hf_rollout_spec *spec, const struct hf_rollout_state *state,
                     const struct hf_rollout_counts *counts, uint64_t elapsed_ns,
                     struct hf_rollout_decision *ret_decision);

/* Decides as hf_rollout_step(), without a change of state. */
void hf_rollout_look(const struct hf_rollout_spec *spec, const struct hf_rollout_state *state,
                     const struct hf_rollout_counts *counts, struct hf_rollout_decision *ret_decision);

/* Judges an EdgeUpdate without a strategy. */
void hf_rollout_plain_verdict(const struct hf_rollout_counts *counts, bool suspend,
                              struct hf_rollout_verdict *ret_verdict);

/* Returns how many nodes of the stage must update before it settles; 0 if all failed or are exempt. */
unsigned hf_rollout_needed(const struct hf_rollout_spec *spec, const struct hf_rollout_state *state,
                           const struct hf_rollout_counts *counts);
