/* SPDX-License-Identifier: Apache-2.0 */
/* From which policy each section comes (api/policies), kept in <state>/sections: for conflicts of one rank and
 * removalGrace. Blocks briefly. */
#pragma once

#include "agent/env.h"
#include "api/policies/policy_set.h"
#include "base/strmap.h"

enum { HF_ORIGINS_TEXT = 480 };

struct hf_origins {
    const struct hf_agent_env *env;
    struct hf_strmap by_path;
    struct hf_buf saved;
    char change[HF_ORIGINS_TEXT]; /* by the last hf_origins_take(); or "" */
};

/* Sets a damaged file aside: conflicts then go to the first name. */
void hf_origins_init(struct hf_origins *origins, const struct hf_agent_env *env);
void hf_origins_done(struct hf_origins *origins);

/* Or NULL. `arg`: struct hf_origins. */
const char *hf_origins_incumbent(void *arg, const char *path);

/* Writes what changed. `proven`: `set` has all policies of this node; until then a section of a missing policy keeps
 * its origin. Forgets sections that nobody sets, but manifests only in hf_origins_removed(). */
void hf_origins_take(struct hf_origins *origins, const struct hf_policy_set *set, bool proven);

/* 0: may go. Begins the grace: call it only when certainly no policy has the entry. */
uint64_t hf_origins_grace_left_ns(struct hf_origins *origins, const struct hf_policy_set *set, const char *entry);

/* `policy`: the last, or "". */
void hf_origins_removed(struct hf_origins *origins, const char *entry, char policy[HF_API_MAX_NAME + 1]);
