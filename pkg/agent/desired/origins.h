/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/origins.h - remembers from which policy each section of the policy in effect comes (api/policies).
 *
 * The memory serves two decisions. Where two policies of one rank differ, the section stays with the policy from which
 * it came before. And an entry of spec.manifests that no policy has any more stays in place for the grace of the policy
 * that had it last (removalGrace), unless this policy itself has dropped it: an object of the same uid with a later
 * generation (or a file) that still selects the node.
 *
 * The file <state>/sections holds the memory, so that a restart changes neither decision. A change is on disk before
 * the agent acts on it. The grace also counts the time between two processes, by the wall clock. Threads: loop thread
 * only; a call may block for a moment to write the file. */
#pragma once

#include "agent/env.h"
#include "api/policies/policy_set.h"
#include "base/strmap.h"

enum { HF_ORIGINS_TEXT = 480 };

struct hf_origins {
    const struct hf_agent_env *env;
    struct hf_strmap by_path;     /* maps the path of a section to its origin */
    struct hf_buf saved;          /* text of the file */
    char change[HF_ORIGINS_TEXT]; /* what the last hf_origins_take() found, for a person; "" if nothing */
};

/* Loads the file. A damaged file is set aside, and the log says so; conflicts then go to the first name. */
void hf_origins_init(struct hf_origins *origins, const struct hf_agent_env *env);
void hf_origins_done(struct hf_origins *origins);

/* Returns the name of the policy from which the section came before, or NULL. `arg` is the struct hf_origins. */
const char *hf_origins_incumbent(void *arg, const char *path);

/* Takes over the origins of a new set, and writes the file if they have changed. `change` then names the sections that
 * have another origin than before, or none although their policy has not dropped them. `proven`: it is certain that the
 * set has all policies of this node. Until then, a section whose policy is not in the set keeps its origin in the
 * memory. Sections that no policy sets are forgotten, but for entries of manifests, which stay until
 * hf_origins_removed(). */
void hf_origins_take(struct hf_origins *origins, const struct hf_policy_set *set, bool proven);

/* Returns for how long an entry that is not in effect stays in place: 0 if it may go. The first call for an entry
 * begins its grace, so call this function only while it is certain that no policy has the entry. `set` is the present
 * one. */
uint64_t hf_origins_grace_left_ns(struct hf_origins *origins, const struct hf_policy_set *set, const char *entry);

/* Forgets an entry that is removed. Writes the name of the policy that had it last to policy[HF_API_MAX_NAME + 1]; ""
 * if that is unknown. */
void hf_origins_removed(struct hf_origins *origins, const char *entry, char policy[HF_API_MAX_NAME + 1]);
