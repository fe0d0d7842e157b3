/* rollout/fleet.h - one compact record for each node of the fleet: what its Node and its EdgeNode say, as far as
 * rollouts need it. A record has a number that stays while the record exists.
 *
 * Times are whole seconds of the monotonic clock, moved by a fixed offset so that times before the start of the machine
 * have a number, too. Pure. Threads: any, one at a time for one fleet. */
#pragma once

#include "rollout/labels.h"

enum {
    HF_FLEET_MAX = 1000000,         /* nodes; more are refused with -E2BIG */
    HF_FLEET_ENTRIES = 64,          /* entries of status.updates that a record keeps */
    HF_FLEET_TURNS = 8,             /* turns of one node */
    HF_FLEET_OFFSET_S = 1 << 30,    /* what hf_fleet_seconds() adds */
    HF_FLEET_DEFAULT_INTERVAL = 300 /* seconds: the interval of a node that reports none */
};

enum hf_fleet_wait { HF_FLEET_NO_WAIT, HF_FLEET_WAIT_EXCUSED, HF_FLEET_WAIT_HELD, HF_FLEET_WAIT_TURN };

/* One entry of status.updates. Digests and names are shortened; a node gains nothing by a collision, because it may
 * report any digest anyway. */
struct hf_fleet_entry {
    uint64_t digest;       /* first 64 bits of the release's digest */
    uint64_t release : 48; /* hf_fleet_release_key() */
    uint64_t phase : 8;    /* enum hf_phase */
    uint64_t wait : 7;     /* enum hf_fleet_wait */
    uint64_t freed : 1;    /* an operator's annotation frees the turn of this release */
};

#define HF_FLEET_FREE_ANNOTATION "edge.codcompass.io/free-turn"

struct hf_fleet_turn {
    char release[64];
    char digest[65];
    bool freed; /* an operator's annotation frees it */
};

struct hf_fleet_turns {
    size_t n;
    struct hf_fleet_turn turns[HF_FLEET_TURNS];
};

enum {
    HF_FLEET_HAS_NODE = 1,
    HF_FLEET_HAS_EDGENODE = 2,
    HF_FLEET_HAS_STATUS = 4,
    HF_FLEET_RESTS = 8,          /* the agent said that it stops, or ends by itself */
    HF_FLEET_MARKED_SILENT = 16, /* the condition Ready has the reason NodeSilent */
    HF_FLEET_NODE_SEEN = 32,     /* seen since the list began */
    HF_FLEET_EDGENODE_SEEN = 64,
    HF_FLEET_WRITING = 128, /* a write of this EdgeNode is on its way, or its outcome is unknown */
};

struct hf_fleet_node {
    char *name; /* NULL in a free record */
    struct hf_fleet_entry *entries;
    struct hf_fleet_turns *turns; /* NULL without turns */
    uint64_t resource_version;    /* of the EdgeNode; 0 if it has none that is a number */
    uint64_t sequence;            /* highest status.sequence */
    uint32_t labels;              /* set of labels; kept after the Node has gone, until the record goes */
    uint32_t heard_s;             /* time of the last new report; without one, when the record was made */
    uint32_t gone_s;              /* time since which there is no Node */
    uint32_t epoch;               /* EdgeNode.spec.epoch */
    uint32_t restarted;           /* low bits of a sequence below `sequence` that came last; 0 if none */
    uint16_t interval_s;          /* status.policy.interval */
    uint8_t n_entries;
    uint8_t flags;
};

struct hf_fleet {
    struct hf_fleet_node *nodes;
    size_t n_slots, cap, n_nodes, n_edgenodes;
    uint32_t free; /* head of the list of free records, linked through `labels` */
    struct hf_id_table table;
    struct hf_label_pool pool;
    struct hf_slab slab; /* names and entries */
    size_t bytes;        /* of names, entries and turns in use */
};

HF_MUST_USE int hf_fleet_init(struct hf_fleet *fleet); /* 0 or -ENOMEM; the fleet must not move afterwards */
void hf_fleet_done(struct hf_fleet *fleet);

uint32_t hf_fleet_seconds(uint64_t mono_ns);
uint64_t hf_fleet_release_key(const char *release);
uint64_t hf_fleet_digest_key(const char *digest); /* 0 if this is no digest */

/* Returns the number of the record with this name, or HF_ID_NONE. */
uint32_t hf_fleet_find(const struct hf_fleet *fleet, const char *name);

/* Stores name and labels of a Node. Returns 0, -EBADMSG (no name), -E2BIG or -ENOMEM. *ret_changed is true if the Node
 * is new or its labels differ. */
HF_MUST_USE int hf_fleet_take_node(struct hf_fleet *fleet, const json_t *node, uint32_t now_s, uint32_t *ret_id,
                                   bool *ret_changed);

/* Stores what an EdgeNode says. `unix_ns` is the present time of the API server, or 0 if this is not the first report
 * of this record in this process. Returns 0, -EBADMSG (no name), -E2BIG, -ENOMEM, or -ESTALE if the object is older
 * than what the record has. */
HF_MUST_USE int hf_fleet_take_edgenode(struct hf_fleet *fleet, const json_t *edgenode, uint32_t now_s, uint64_t unix_ns,
                                       uint32_t *ret_id);

/* Forget the Node or the EdgeNode. The record goes when it has neither. Return true if the record went. */
bool hf_fleet_drop_node(struct hf_fleet *fleet, uint32_t id, uint32_t now_s);
bool hf_fleet_drop_edgenode(struct hf_fleet *fleet, uint32_t id);

/* Returns the entry for the release with this digest, or NULL. */
const struct hf_fleet_entry *hf_fleet_entry(const struct hf_fleet_node *node, uint64_t digest);
/* Returns true if the node reports another digest for this release name. */
bool hf_fleet_moved_on(const struct hf_fleet_node *node, uint64_t release, uint64_t digest);
/* Returns true if EdgeNode.spec.turns has the digest. */
bool hf_fleet_has_turn(const struct hf_fleet_node *node, uint64_t digest);

size_t hf_fleet_bytes(const struct hf_fleet *fleet);
