/* agent/follow/follow.h - the four subscriptions of an agent: EdgeUpdates, SyncPolicies, the own Node, the own
 * EdgeNode.
 *
 * Hands each report of the source to its owner: objects to follow/objects, contact to follow/contact, the own Node to
 * desired/policy. Informs the agent through struct hf_follow_events. Loop thread only. */
#pragma once

#include "agent/env.h"
#include "agent/follow/contact.h"
#include "agent/follow/objects.h"
#include "cache/cache.h"

enum hf_follow_kind { HF_FOLLOW_UPDATES, HF_FOLLOW_POLICIES, HF_FOLLOW_NODE, HF_FOLLOW_EDGENODE, HF_FOLLOW_COUNT };

struct hf_chosen_policy;
struct hf_follows;

/* One subscription. */
struct hf_follow {
    struct hf_follows *all;
    const char *kind;
    struct hf_objects *objects; /* NULL: the subscription follows a single object */
    struct hf_subscription *subscription;
    struct hf_cache_resume resume; /* the newest point from which a later process may resume */
    bool resume_moved;             /* the resume point on the disk is older than `resume` */
    bool synced;                   /* this process has received everything that exists */
    bool proven;                   /* the API server itself answers now, not only a cache in between */
    bool relisting;                /* a complete list is outstanding */
    /* The errno with which a source in reach refuses the kind (0: the source serves the kind); barred_text advises a
     * person. */
    int barred;
    char barred_text[HF_READINESS_MESSAGE];
};

struct hf_follow_events {
    void (*edgenode)(void *arg,
                     const json_t *edgenode); /* reports the own EdgeNode as the source has it; NULL: deleted */
    /* The server accepts statuses again. Wait for `spread_ns` before the next report; the time is random, so that a
     * fleet does not report all at once. */
    void (*reachable)(void *arg, uint64_t spread_ns);
    void *arg;
};

struct hf_follows {
    const struct hf_agent_env *env;
    struct hf_contact *contact;      /* borrowed */
    struct hf_chosen_policy *policy; /* borrowed: labels and the own Node */
    struct hf_follow_events events;
    struct hf_follow of[HF_FOLLOW_COUNT];
    struct hf_objects updates, policies;
    struct hf_strmap unreadable; /* files of the source that nobody can use; each value is the reason (char *) */
    bool had_cache;              /* an earlier process left objects in the cache */
    bool was_reachable;          /* the `reachable` event came at least once */
};

/* The caller initializes `contact` and `policy` before hf_follow_start(). */
void hf_follow_init(struct hf_follows *follows, const struct hf_agent_env *env, struct hf_contact *contact,
                    struct hf_chosen_policy *policy, const struct hf_follow_events *events);
void hf_follow_done(struct hf_follows *follows);

/* Reads the objects, the Node and the resume points of an earlier process. */
HF_MUST_USE int hf_follow_load(struct hf_follows *follows, struct hf_cache *cache, struct hf_err *err);
HF_MUST_USE int hf_follow_start(struct hf_follows *follows, struct hf_err *err);
void hf_follow_stop(struct hf_follows *follows);

/* Asks the source to check each kind completely with the API server itself. */
void hf_follow_refresh(struct hf_follows *follows);
void hf_follow_save_resume_points(struct hf_follows *follows);

/* Returns true if a status written now would arrive. */
bool hf_follow_delivers(const struct hf_follows *follows);
/* Returns EdgeUpdates or SyncPolicies if the source refuses them to us (EdgeUpdates if it refuses both), or NULL if the
 * source serves both. */
const struct hf_follow *hf_follow_barred(const struct hf_follows *follows);
/* Returns true if this process has received all EdgeUpdates and SyncPolicies. */
bool hf_follow_synced(const struct hf_follows *follows);
/* Returns true if the agent knows the desired state: from the source, or from the cache of an earlier process. */
bool hf_follow_knows(const struct hf_follows *follows);
/* Returns true while a complete list of EdgeUpdates or SyncPolicies is outstanding. */
bool hf_follow_relisting(const struct hf_follows *follows);
