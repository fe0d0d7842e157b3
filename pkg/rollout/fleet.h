/* SPDX-License-Identifier: Apache-2.0 */
/* rollout/fleet.h - keeps one compact record for each node of the fleet, with the facts from its Node and its EdgeNode
 * that rollouts need. The number of a record does not change while the record exists.
 *
 * Times are whole seconds of the monotonic clock plus a fixed offset, so that times before the machine's boot are not
 * negative. Pure. Threads: any, one at a time for one fleet. */
#pragma once

#include "rollout/labels.h"
#include "rollout/object_version.h"

enum {
    HF_FLEET_MAX = 1000000,         /* nodes; more are refused with -E2BIG */
    HF_FLEET_ENTRIES = 64,          /* entries of status.updates that a record keeps */
    HF_FLEET_TURNS = 8,             /* turns of one node */
    HF_FLEET_OFFSET_S = 1 << 30,    /* the offset that hf_fleet_seconds() adds */
    HF_FLEET_DEFAULT_INTERVAL = 300 /* seconds: the interval of a node that reports none */
};

enum hf_fleet_wait { HF_FLEET_NO_WAIT, HF_FLEET_WAIT_EXCUSED, HF_FLEET_WAIT_HELD, HF_FLEET_WAIT_TURN };

/* One entry of status.updates. Digests are shortened to 64 bits, and release names to 48 bits of a hash. A node gains
 * nothing from a collision, because it can report any digest anyway. */
struct hf_fleet_entry {
    uint64_t digest;       /* first 64 bits of the release's digest */
    uint64_t release : 48; /* hf_fleet_release_key() */
    uint64_t phase : 8;    /* enum hf_phase */
    uint64_t wait : 6;     /* enum hf_fleet_wait */
    uint64_t failed : 1;   /* phase and reason say that the release failed (hf_reason_is_failure()) */
    uint64_t freed : 1;    /* an operator's annotation frees the turn of this release */
};

#define HF_FLEET_FREE_ANNOTATION "edge.codcompass.io/free-turn"

struct hf_fleet_turn {
    char release[64];
    char digest[65];
    bool freed; /* an operator's annotation frees this turn */
};

struct hf_fleet_turns {
    size_t n;
    struct hf_fleet_turn turns[HF_FLEET_TURNS];
};

enum {
    HF_FLEET_HAS_NODE = 1,
    HF_FLEET_HAS_EDGENODE = 2,
    HF_FLEET_HAS_STATUS = 4,
    HF_FLEET_RESTS = 8,          /* the agent reported that it has stopped, or that it runs only once */
    HF_FLEET_MARKED_SILENT = 16, /* the condition Ready has the reason NodeSilent */
    HF_FLEET_NODE_SEEN = 32,     /* the Node has come since the last hf_rollout_engine_list_begin() */
    HF_FLEET_EDGENODE_SEEN = 64,
    HF_FLEET_WRITING = 128, /* a write of this EdgeNode is on its way, or the EdgeNode has not yet shown its outcome */
};

struct hf_fleet_node {
    char *name; /* NULL in a free record */
    struct hf_fleet_entry *entries;
    struct hf_fleet_turns *turns;     /* NULL without turns */
    struct hf_object_version version; /* resourceVersion of the EdgeNode */
    uint64_t sequence;                /* status.sequence of the last new report */
    uint32_t labels;     /* number of the set of labels; kept until the record is freed, also without a Node */
    uint32_t heard_s;    /* time of the last new report; before the first report, when the record was made */
    uint32_t gone_s;     /* when the Node was deleted; if there never was a Node, when the record was made */
    uint32_t epoch;      /* EdgeNode.spec.epoch */
    uint32_t paused_s;   /* no write of this EdgeNode before this time; 0 without a pause */
    uint32_t restarted;  /* low bits of the last received sequence if it was below `sequence`; else 0 */
    uint16_t interval_s; /* status.policy.interval in seconds, at least 1 and at most 65535 */
    uint8_t n_entries;
    uint8_t flags;
};

struct hf_fleet {
    struct hf_fleet_node *nodes;
    size_t n_slots, cap, n_nodes, n_edgenodes;
    uint32_t free; /* number of the first free record; `labels` links the free records */
    struct hf_id_table table;
    struct hf_label_pool pool;
    struct hf_slab slab; /* names and entries */
    size_t bytes;        /* memory of names, entries and turns in use */
};

/* Initializes a fleet. Returns 0 or -ENOMEM. After that, the caller must not move the struct in memory. */
HF_MUST_USE int hf_fleet_init(struct hf_fleet *fleet);
void hf_fleet_done(struct hf_fleet *fleet);

uint32_t hf_fleet_seconds(uint64_t mono_ns);
uint64_t hf_fleet_release_key(const char *release);
uint64_t hf_fleet_digest_key(const char *digest); /* returns 0 if `digest` is not a digest */

/* Returns the number of the record with this name, or HF_ID_NONE. */
uint32_t hf_fleet_find(const struct hf_fleet *fleet, const char *name);

/* Stores name and labels of a Node. Returns 0, -EBADMSG (no valid name), -E2BIG (HF_FLEET_MAX) or -ENOMEM. *ret_changed
 * is true if the Node is new or its labels have changed. */
HF_MUST_USE int hf_fleet_take_node(struct hf_fleet *fleet, const json_t *node, uint32_t now_s, uint32_t *ret_id,
                                   bool *ret_changed);

/* Stores the facts of an EdgeNode. `unix_ns` is the present time of the API server (0 means unknown). The record's
 * first report has an age: `unix_ns` minus the time in the report, or 0 if `unix_ns` is 0. Each later report has the
 * age 0. `decided_on` says where the object comes from (rollout/object_version.h). An object from the source counts as
 * seen (HF_FLEET_EDGENODE_SEEN). Returns 0, -EBADMSG (no valid name), -E2BIG (HF_FLEET_MAX), -ENOMEM (pass the object
 * in again), or -ESTALE (the record has a newer version; nothing else is stored). If the version of the record is lower
 * after the call than before, the store was restored from a backup. */
HF_MUST_USE int hf_fleet_take_edgenode(struct hf_fleet *fleet, const json_t *edgenode, uint64_t decided_on,
                                       uint32_t now_s, uint64_t unix_ns, uint32_t *ret_id);

/* Removes the Node or the EdgeNode from a record. If the record then has neither, frees the record and returns true. */
bool hf_fleet_drop_node(struct hf_fleet *fleet, uint32_t id, uint32_t now_s);
bool hf_fleet_drop_edgenode(struct hf_fleet *fleet, uint32_t id);

/* Returns the entry for the release with this digest, or NULL. */
const struct hf_fleet_entry *hf_fleet_entry(const struct hf_fleet_node *node, uint64_t digest);
/* Returns true if the node reports another digest for this release name, and does not report `digest`. */
bool hf_fleet_moved_on(const struct hf_fleet_node *node, uint64_t release, uint64_t digest);
/* Returns true if EdgeNode.spec.turns has the digest. */
bool hf_fleet_has_turn(const struct hf_fleet_node *node, uint64_t digest);

size_t hf_fleet_bytes(const struct hf_fleet *fleet);
