/* SPDX-License-Identifier: Apache-2.0 */
/* agent/follow/follow.h - the four subscriptions of an agent: EdgeUpdates, SyncPolicies, its Node and its EdgeNode.
 * Each report goes to the part that keeps it: follow/objects, follow/contact, desired/policy, desired/own_edgenode.
 * Threads: loop thread only. */
#pragma once

#include "agent/env.h"
#include "agent/follow/contact.h"
#include "agent/follow/objects.h"
#include "cache/cache.h"

enum hf_follow_kind { HF_FOLLOW_UPDATES, HF_FOLLOW_POLICIES, HF_FOLLOW_NODE, HF_FOLLOW_EDGENODE, HF_FOLLOW_COUNT };

struct hf_chosen_policy;
struct hf_own_edgenode;
struct hf_follows;

/* One subscription of the agent. */
struct hf_follow {
    struct hf_follows *all;
    enum hf_follow_kind which;
    const char *kind;           /* name of the kind, as objects have it */
    struct hf_objects *objects; /* NULL for a single object */
    struct hf_subscription *subscription;
    struct hf_cache_resume resume; /* from which a later process may continue */
    /* at most 64 objects that cannot be parsed: name to reason (char *) */
    struct hf_strmap unreadable;
    bool resume_moved; /* the one on disk is older */
    bool synced;       /* this process has received all that exist */
    /* answers come from the API server itself, not from a store alone */
    bool proven;
    uint64_t proven_ns; /* since when, monotonic */
    bool relisting;     /* another complete list was requested */
    /* errno with which a reachable source refuses this kind (0: none), and the explanation */
    int barred;
    char barred_text[HF_READINESS_MESSAGE];
};

/* True only if the table certainly has every object for this node: all came from the API server itself, and each has a
 * good version. Otherwise an object may ask for what no other asks for: the agent must remove nothing. */
bool hf_follow_proves_absence(const struct hf_follow *follow);

struct hf_follow_events {
    /* this node's EdgeNode; NULL: deleted */
    void (*edgenode)(void *arg, const json_t *edgenode);
    /* The server takes statuses again. The next one waits for `spread_ns`, which is random after an outage that other
     * nodes may have had, too. */
    void (*reachable)(void *arg, uint64_t spread_ns);
    void *arg;
};

/* The parts that keep what the source reports; borrowed. */
struct hf_follow_keepers {
    struct hf_contact *contact;       /* records contact with the source */
    struct hf_chosen_policy *policy;  /* the policy in effect, the labels and this node's Node */
    struct hf_own_edgenode *edgenode; /* the turns in this node's EdgeNode */
};

struct hf_follows {
    const struct hf_agent_env *env;
    struct hf_contact *contact; /* `contact`, `policy` and `edgenode` are those of struct hf_follow_keepers */
    struct hf_chosen_policy *policy;
    struct hf_own_edgenode *edgenode;
    struct hf_follow_events events;
    struct hf_follow of[HF_FOLLOW_COUNT];
    struct hf_objects updates, policies;
    struct hf_strmap unreadable; /* maps the names of at most 64 unusable files of the source to the reasons (char *) */
    bool had_cache;              /* true if an earlier process left EdgeUpdates or their resume point in the cache */
    bool was_reachable;          /* true if events.reachable was called at least once */
};

/* The keepers must be initialised before hf_follow_start(). */
void hf_follow_init(struct hf_follows *follows, const struct hf_agent_env *env, const struct hf_follow_keepers *keepers,
                    const struct hf_follow_events *events);
void hf_follow_done(struct hf_follows *follows);

/* Loads what an earlier process left in the cache. */
HF_MUST_USE int hf_follow_load(struct hf_follows *follows, struct hf_cache *cache, struct hf_err *err);
HF_MUST_USE int hf_follow_start(struct hf_follows *follows, struct hf_err *err);
void hf_follow_stop(struct hf_follows *follows);

/* Asks for `refresh` of each subscription (kube/source.h). */
void hf_follow_refresh(struct hf_follows *follows);
void hf_follow_save_resume_points(struct hf_follows *follows);

/* True if a status written now would reach the server. */
bool hf_follow_delivers(const struct hf_follows *follows);
/* The subscription to EdgeUpdates, else to SyncPolicies, whose kind the source refuses to serve; NULL: none. */
const struct hf_follow *hf_follow_barred(const struct hf_follows *follows);
/* This process has received all EdgeUpdates and SyncPolicies. */
bool hf_follow_synced(const struct hf_follows *follows);
/* The desired state is known, from the source or from the cache. */
bool hf_follow_knows(const struct hf_follows *follows);
/* Another complete list of one of the two was requested. */
bool hf_follow_relisting(const struct hf_follows *follows);
