/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions: EdgeUpdates, SyncPolicies, this node's Node and EdgeNode. */
#pragma once

#include "agent/env.h"
#include "agent/follow/contact.h"
#include "agent/follow/objects.h"
#include "cache/cache.h"

enum hf_follow_kind { HF_FOLLOW_UPDATES, HF_FOLLOW_POLICIES, HF_FOLLOW_NODE, HF_FOLLOW_EDGENODE, HF_FOLLOW_COUNT };

struct hf_chosen_policy;
struct hf_own_edgenode;
struct hf_follows;

struct hf_follow {
    struct hf_follows *all;
    enum hf_follow_kind which;
    const char *kind;
    struct hf_objects *objects; /* NULL for Node and EdgeNode */
    struct hf_subscription *subscription;
    struct hf_cache_resume resume;
    /* unparsable objects, at most 64: name to reason (char *) */
    struct hf_strmap unreadable;
    bool resume_moved; /* not saved yet */
    bool synced;       /* all existing objects have come to this process */
    /* the API server itself, or the folder, answers, not only a cache on the node */
    bool proven;
    uint64_t proven_ns;
    bool relisting;
    /* errno with which a reachable source refuses this kind, or 0 */
    int barred;
    char barred_text[HF_READINESS_MESSAGE];
};

/* Whether the table certainly has every object for this node in a good version. If not, the agent must remove
 * nothing. */
bool hf_follow_proves_absence(const struct hf_follow *follow);

struct hf_follow_events {
    void (*edgenode)(void *arg, const json_t *edgenode);
    /* The server accepts statuses again. Send one after `spread_ns`, which is random if other nodes may have had the
     * outage too. */
    void (*reachable)(void *arg, uint64_t spread_ns);
    void *arg;
};

struct hf_follow_keepers {
    struct hf_contact *contact;
    struct hf_chosen_policy *policy;
    struct hf_own_edgenode *edgenode;
};

struct hf_follows {
    const struct hf_agent_env *env;
    struct hf_contact *contact;
    struct hf_chosen_policy *policy;
    struct hf_own_edgenode *edgenode;
    struct hf_follow_events events;
    struct hf_follow of[HF_FOLLOW_COUNT];
    struct hf_objects updates, policies;
    struct hf_strmap unreadable; /* unusable files, at most 64: name to reason (char *) */
    bool had_cache;
    bool was_reachable;
};

/* Initialise policy and edgenode before hf_follow_load(), contact before hf_follow_start(). */
void hf_follow_init(struct hf_follows *follows, const struct hf_agent_env *env, const struct hf_follow_keepers *keepers,
                    const struct hf_follow_events *events);
void hf_follow_done(struct hf_follows *follows);

HF_MUST_USE int hf_follow_load(struct hf_follows *follows, struct hf_cache *cache, struct hf_err *err);
HF_MUST_USE int hf_follow_start(struct hf_follows *follows, struct hf_err *err);
void hf_follow_stop(struct hf_follows *follows);

void hf_follow_refresh(struct hf_follows *follows);
void hf_follow_save_resume_points(struct hf_follows *follows);

bool hf_follow_delivers(const struct hf_follows *follows);
/* The subscription whose kind the source refuses, EdgeUpdates first; or NULL. */
const struct hf_follow *hf_follow_barred(const struct hf_follows *follows);
/* Whether all EdgeUpdates and SyncPolicies have come to this process. */
bool hf_follow_synced(const struct hf_follows *follows);
/* Whether the desired state is known, from source or cache. */
bool hf_follow_knows(const struct hf_follows *follows);
bool hf_follow_relisting(const struct hf_follows *follows);
