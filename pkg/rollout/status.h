/* SPDX-License-Identifier: Apache-2.0 */
/* rollout/status.h - makes the JSON objects that the controller applies, and decides how urgently it must write a
 * status. Pure. */
#pragma once

#include "rollout/fleet.h"
#include "rollout/rollout.h"

enum {
    HF_ROLLOUT_FAILURES = 10,   /* maximum number of entries of status.failures */
    HF_ROLLOUT_WAITING_FOR = 5, /* maximum number of entries of status.rollout.waitingFor */
};

struct hf_rollout_failure {
    const char *node, *reason, *message;
};

/* Input for the status of an EdgeUpdate. All pointers are borrowed. */
struct hf_rollout_status {
    const char *name;
    const char *resource_version;
    int64_t generation;
    const json_t *old; /* the status that the object has now; NULL without one */
    const struct hf_rollout_verdict *verdict;
    const struct hf_rollout_counts *counts;     /* NULL: copy nodes, wave, admission, rollout and failures from `old` */
    const struct hf_rollout_decision *decision; /* NULL without a strategy */
    /* true: copy the field `admission` from `old` if that field is for this digest, and otherwise admit no node; false:
     * use `decision` */
    bool keep_admission;
    const struct hf_rollout_failure *failures;
    size_t n_failures;
    const char *const *waiting_for;
    size_t n_waiting_for;
    struct hf_rollout_failure trouble; /* of a node that is updating; its `node` is NULL without one */
    uint64_t now_unix_ns;
};

/* Returns the object for a server-side apply of the EdgeUpdate's status, or NULL if memory runs out. */
json_t *hf_rollout_status_make(const struct hf_rollout_status *status);

enum hf_rollout_urgency {
    HF_ROLLOUT_SAME, /* the object has this status already */
    /* only counts, names of nodes, reasons and messages of conditions, and the times soaked and waited differ */
    HF_ROLLOUT_SLOW,
    HF_ROLLOUT_URGENT /* agents, operators or the next leader need the new status */
};

/* Compares the status of `body` with `old`. The times soaked and waited count as different only if they fell, or grew
 * by at least their step (soaked_step_ns, waited_step_ns). If a step is HF_NEVER, the function does not compare the
 * time that belongs to this step. */
enum hf_rollout_urgency hf_rollout_status_compare(const json_t *body, const json_t *old, uint64_t soaked_step_ns,
                                                  uint64_t waited_step_ns);

/* Returns the object for an apply of EdgeNode.spec with these turns, or NULL if memory runs out. If `turns` is NULL,
 * the object has no turns. */
json_t *hf_rollout_turns_make(const struct hf_fleet_node *node, uint64_t epoch, const struct hf_fleet_turns *turns);

/* Returns the object for an apply of Ready=Unknown and contact.state Silent to a silent EdgeNode, or NULL if memory
 * runs out. */
json_t *hf_rollout_silent_make(const struct hf_fleet_node *node, uint64_t silent_s, uint64_t now_unix_ns);
