/* SPDX-License-Identifier: Apache-2.0 */
/* Records from which policy each section comes (api/policies), in <state>/sections, to decide conflicts between
 * policies of one rank, and for removalGrace. Blocks briefly. */
#pragma once

#include "agent/env.h"
#include "api/policies/policy_set.h"
#include "base/strmap.h"

enum { HF_ORIGINS_TEXT = 480 };

struct hf_origins {
    const struct hf_agent_env *env;
    struct hf_strmap by_path;
    struct hf_buf saved;
    char change[HF_ORIGINS_TEXT]; /* what the last hf_origins_take() reports, as text */
};

/* Sets a damaged file aside: then names decide between policies of one rank. */
void hf_origins_init(struct hf_origins *origins, const struct hf_agent_env *env);
void hf_origins_done(struct hf_origins *origins);

/* Returns the policy that had section `path` last; NULL or "": unknown. `arg`: struct hf_origins. */
const char *hf_origins_incumbent(void *arg, const char *path);

/* Saves the origins of `set`. `proven`: `set` has all policies of this node; if not, a section of a missing policy
 * keeps its origin. */
void hf_origins_take(struct hf_origins *origins, const struct hf_policy_set *set, bool proven);

/* Returns how long an entry must stay; 0: it may go. Starts its grace, so call this only when certainly no policy has
 * the entry. */
uint64_t hf_origins_grace_left_ns(struct hf_origins *origins, const struct hf_policy_set *set, const char *entry);

/* Forgets an entry unless a policy has it again. `policy` gets the policy that had it last, or "". */
void hf_origins_removed(struct hf_origins *origins, const char *entry, char policy[HF_API_MAX_NAME + 1]);
