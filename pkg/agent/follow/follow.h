/* SPDX-License-Identifier: Apache-2.0 */
/* agent/follow/follow.h - the four subscriptions of an agent: to EdgeUpdates, SyncPolicies, this node's Node object and
 * this node's EdgeNode.
 *
 * Passes each report of the source to the part that keeps it: objects to follow/objects, contact to follow/contact, the
 * Node to desired/policy, the EdgeNode to desired/own_edgenode. Informs the agent through struct hf_follow_events.
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
    struct hf_objects *objects; /* table of the objects; NULL if the subscription follows a single object */
    struct hf_subscription *subscription;
    struct hf_cache_resume resume; /* newest resume point, from which a later process may continue to watch */
    /* maps the names of at most 64 objects that the source cannot parse to the reasons (char *) */
    struct hf_strmap unreadable;
    bool resume_moved; /* true if the resume point on disk is older than `resume` */
    bool synced;       /* true if this process has received all objects that exist */
    /* true while answers come from the API server itself, and not only from a MetaServer's local store */
    bool proven;
    uint64_t proven_ns; /* monotonic time since which `proven` is true */
    bool relisting;     /* true while the agent waits for another complete list that it has requested */
    /* The errno with which a reachable source refuses to serve this kind (0 means that there is no such refusal).
     * barred_text explains the refusal to a person. */
    int barred;
    char barred_text[HF_READINESS_MESSAGE];
};

/* Returns true only if it is certain that the table has every object for this node: this process has received all
 * objects from the API server itself, and the table has a good version of each of them. If the source cannot parse an
 * object, or if an object has no good version or no room, that object may ask for something that no object in the table
 * asks for. The agent must then remove nothing. */
bool hf_follow_proves_absence(const struct hf_follow *follow);

struct hf_follow_events {
    /* Called when the source reports this node's EdgeNode; `edgenode` is NULL if the EdgeNode was deleted. */
    void (*edgenode)(void *arg, const json_t *edgenode);
    /* Called when the server accepts statuses again. The agent must wait for `spread_ns` before it writes the next
     * status. After an outage that other nodes may have had too, this time is random, so that the nodes of a fleet do
     * not all write at once. */
    void (*reachable)(void *arg, uint64_t spread_ns);
    void *arg;
};

/* The parts that keep what the source reports; borrowed. EdgeUpdates and SyncPolicies have tables of their own in
 * struct hf_follows. */
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

/* Initialises `follows`. The caller must initialise the keepers before hf_follow_start(). */
void hf_follow_init(struct hf_follows *follows, const struct hf_agent_env *env, const struct hf_follow_keepers *keepers,
                    const struct hf_follow_events *events);
void hf_follow_done(struct hf_follows *follows);

/* Loads the objects, the Node, the turns and the resume points that an earlier process saved in the cache. */
HF_MUST_USE int hf_follow_load(struct hf_follows *follows, struct hf_cache *cache, struct hf_err *err);
HF_MUST_USE int hf_follow_start(struct hf_follows *follows, struct hf_err *err);
void hf_follow_stop(struct hf_follows *follows);

/* Asks the source to check that each subscription is up to date (`refresh` in kube/source.h). */
void hf_follow_refresh(struct hf_follows *follows);
void hf_follow_save_resume_points(struct hf_follows *follows);

/* Returns true if a status that the agent writes now would reach the server. */
bool hf_follow_delivers(const struct hf_follows *follows);
/* Returns the subscription to EdgeUpdates or SyncPolicies if the source refuses to serve that kind, or NULL if the
 * source serves both. If the source refuses both kinds, returns the subscription to EdgeUpdates. */
const struct hf_follow *hf_follow_barred(const struct hf_follows *follows);
/* Returns true if this process has received all EdgeUpdates and SyncPolicies. */
bool hf_follow_synced(const struct hf_follows *follows);
/* Returns true if the agent has the desired state, either from the source or from the cache of an earlier process. */
bool hf_follow_knows(const struct hf_follows *follows);
/* Returns true while the agent waits for another complete list of EdgeUpdates or SyncPolicies that it has requested. */
bool hf_follow_relisting(const struct hf_follows *follows);
