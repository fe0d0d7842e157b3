/* SPDX-License-Identifier: Apache-2.0 */
/* From which policy each section comes (api/policies), in <state>/sections, for conflicts of one rank and the
 * removalGrace of manifests. Blocks briefly to write. */
#pragma once

#include "agent/env.h"
#include "api/policies/policy_set.h"
#include "base/strmap.h"

enum { HF_ORIGINS_TEXT = 480 };

struct hf_origins {
    const struct hf_agent_env *env;
    struct hf_strmap by_path;
    struct hf_buf saved;
    char change[HF_ORIGINS_TEXT]; /* by the last hf_origins_take(), for a person; or "" */
};

/* A damaged file is set aside; conflicts then go to the first name. */
void hf_origins_init(struct hf_origins *origins, const struct hf_agent_env *env);
void hf_origins_done(struct hf_origins *origins);

/* Or NULL. `arg`: struct hf_origins. */
const char *hf_origins_incumbent(void *arg, const char *path);

/* Writes a change, with the sections in `change`. `proven`: `set` has all policies of this node; before, a section of a
 * missing policy keeps its origin. Sections that nobody sets are forgotten; manifests stay until
 * hf_origins_removed(). */
void hf_origins_take(struct hf_origins *origins, const struct hf_policy_set *set, bool proven);

/* 0: may go. The first call begins the grace: only when certainly no policy has the entry. */
uint64_t hf_origins_grace_left_ns(struct hf_origins *origins, const struct hf_policy_set *set, const char *entry);

/* `policy`: had it last, or "". */
void hf_origins_removed(struct hf_origins *origins, const char *entry, char policy[HF_API_MAX_NAME + 1]);
