/* SPDX-License-Identifier: Apache-2.0 */
/* Makes objects that the controller writes (NULL: no memory), and finds how urgent a status is. Pure. */
#pragma once

#include "rollout/fleet.h"
#include "rollout/rollout.h"

enum {
    HF_ROLLOUT_FAILURES = 10,
    HF_ROLLOUT_WAITING_FOR = 5,
};

struct hf_rollout_failure {
    const char *node, *reason, *message;
};

/* A leader's first write. */
enum hf_rollout_claim {
    HF_ROLLOUT_NO_CLAIM,
    HF_ROLLOUT_TAKES_OVER, /* keeps status.admission of this digest */
    HF_ROLLOUT_STARTS      /* admits no node */
};

/* Borrowed. */
struct hf_rollout_status {
    const char *name;
    const char *resource_version;
    int64_t generation;
    const json_t *old; /* or NULL */
    const struct hf_rollout_verdict *verdict;
    const struct hf_rollout_counts *counts;     /* NULL: keep nodes, wave, admission, rollout and failures */
    const struct hf_rollout_decision *decision; /* or NULL */
    enum hf_rollout_claim claim;
    const struct hf_rollout_failure *failures;
    size_t n_failures;
    const char *const *waiting_for;
    size_t n_waiting_for;
    struct hf_rollout_failure trouble; /* `node` may be NULL */
    uint64_t now_unix_ns;
};

json_t *hf_rollout_status_make(const struct hf_rollout_status *status);

enum hf_rollout_urgency {
    HF_ROLLOUT_SAME,
    HF_ROLLOUT_SLOW,  /* only counts, names, reasons, messages or times differ */
    HF_ROLLOUT_URGENT /* agents, operators or a leader wait for it */
};

/* Compares a new status with the old one. A time counts as different if it falls, or grows by its step (HF_NEVER:
 * never). */
enum hf_rollout_urgency hf_rollout_status_compare(const json_t *body, const json_t *old, uint64_t soaked_step_ns,
                                                  uint64_t waited_step_ns);

json_t *hf_rollout_turns_make(const struct hf_fleet_node *node, uint64_t epoch, const struct hf_fleet_turns *turns);

json_t *hf_rollout_silent_make(const struct hf_fleet_node *node, uint64_t silent_s, uint64_t now_unix_ns);
