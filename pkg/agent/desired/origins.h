/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/origins.h - remembers from which policy each section of the policy in effect comes (api/policies), in
 * <state>/sections: it decides conflicts of one rank and the removalGrace of entries of spec.manifests. Blocks briefly
 * to write. */
#pragma once

#include "agent/env.h"
#include "api/policies/policy_set.h"
#include "base/strmap.h"

enum { HF_ORIGINS_TEXT = 480 };

struct hf_origins {
    const struct hf_agent_env *env;
    struct hf_strmap by_path;
    struct hf_buf saved;
    char change[HF_ORIGINS_TEXT]; /* findings of the last hf_origins_take(), for a person; or "" */
};

/* A damaged file is set aside and logged; conflicts then go to the first name. */
void hf_origins_init(struct hf_origins *origins, const struct hf_agent_env *env);
void hf_origins_done(struct hf_origins *origins);

/* The section's earlier policy, or NULL. `arg`: struct hf_origins. */
const char *hf_origins_incumbent(void *arg, const char *path);

/* Writes the file if origins changed; `change` names the sections. `proven`: the set certainly has all policies of this
 * node; until then a section whose policy is missing keeps its origin. Sections that no policy sets are forgotten;
 * entries of manifests stay until hf_origins_removed(). */
void hf_origins_take(struct hf_origins *origins, const struct hf_policy_set *set, bool proven);

/* 0: it may go. The first call begins the grace, so call only while it is certain that no policy has the entry. */
uint64_t hf_origins_grace_left_ns(struct hf_origins *origins, const struct hf_policy_set *set, const char *entry);

/* `policy` is the one that had it last, or "". */
void hf_origins_removed(struct hf_origins *origins, const char *entry, char policy[HF_API_MAX_NAME + 1]);
