/* SPDX-License-Identifier: Apache-2.0 */
/* One compact record per node, under a constant number. Seconds are monotonic plus HF_FLEET_OFFSET_S, so never
 * negative. Pure. */
#pragma once

#include "rollout/labels.h"
#include "rollout/object_version.h"

enum {
    HF_FLEET_MAX = 1000000,
    HF_FLEET_ENTRIES = 64,
    HF_FLEET_TURNS = 8,
    HF_FLEET_OFFSET_S = 1 << 30,
};

enum hf_fleet_wait {
    HF_FLEET_NO_WAIT,
    HF_FLEET_WAIT_EXCUSED,
    HF_FLEET_WAIT_HELD,
    HF_FLEET_WAIT_TURN,
    HF_FLEET_HELD_BACK
};

struct hf_fleet_entry {
    uint64_t digest;
    uint64_t release : 48; /* hf_fleet_release_key() */
    uint64_t phase : 8;    /* enum hf_phase */
    uint64_t wait : 6;     /* enum hf_fleet_wait */
    uint64_t failed : 1;   /* hf_reason_is_failure() */
    uint64_t freed : 1;
};

#define HF_FLEET_FREE_ANNOTATION "edge.codcompass.io/free-turn"

struct hf_fleet_turn {
    char release[64];
    char digest[65];
    bool freed;
};

struct hf_fleet_turns {
    size_t n;
    struct hf_fleet_turn turns[HF_FLEET_TURNS];
};

enum {
    HF_FLEET_HAS_NODE = 1,
    HF_FLEET_HAS_EDGENODE = 2,
    HF_FLEET_HAS_STATUS = 4,
    HF_FLEET_RESTS = 8,          /* the agent has stopped, or ran with --once */
    HF_FLEET_MARKED_SILENT = 16, /* reason of Ready is NodeSilent */
    HF_FLEET_NODE_SEEN = 32,     /* in the present list */
    HF_FLEET_EDGENODE_SEEN = 64,
    HF_FLEET_WRITING = 128, /* a write is not settled */
};

struct hf_fleet_node {
    char *name; /* NULL: the record is free */
    struct hf_fleet_entry *entries;
    struct hf_fleet_turns *turns; /* or NULL */
    struct hf_object_version version;
    uint64_t sequence;
    uint32_t labels;  /* label set; kept even without a Node */
    uint32_t heard_s; /* time of the last new report, or when the record was made */
    uint32_t gone_s;  /* when the Node was deleted, or the record made */
    uint32_t epoch;
    uint32_t paused_s;  /* no write before this time */
    uint32_t restarted; /* low bits of a sequence lower than `sequence`, otherwise 0 */
    uint16_t interval_s;
    uint8_t n_entries;
    uint8_t flags;
};

struct hf_fleet {
    struct hf_fleet_node *nodes;
    size_t n_slots, cap, n_nodes, n_edgenodes;
    uint32_t free; /* first free record; linked by `labels` */
    struct hf_id_table table;
    struct hf_label_pool pool;
    struct hf_slab slab;
    size_t bytes;
};

/* The struct must not move afterwards. */
HF_MUST_USE int hf_fleet_init(struct hf_fleet *fleet);
void hf_fleet_done(struct hf_fleet *fleet);

uint32_t hf_fleet_seconds(uint64_t mono_ns);
uint64_t hf_fleet_release_key(const char *release);
uint64_t hf_fleet_digest_key(const char *digest);

uint32_t hf_fleet_find(const struct hf_fleet *fleet, const char *name);

/* -EBADMSG: no valid name. *ret_changed: the node is new, or has other labels. */
HF_MUST_USE int hf_fleet_take_node(struct hf_fleet *fleet, const json_t *node, uint32_t now_s, uint32_t *ret_id,
                                   bool *ret_changed);

/* `unix_ns`: the time now, for the age of the node's first report; 0: that report is new. `decided_on`: see
 * hf_object_version_take(). -ESTALE: the record is newer. */
HF_MUST_USE int hf_fleet_take_edgenode(struct hf_fleet *fleet, const json_t *edgenode, uint64_t decided_on,
                                       uint32_t now_s, uint64_t unix_ns, uint32_t *ret_id);

/* Return whether the record is now free. */
bool hf_fleet_drop_node(struct hf_fleet *fleet, uint32_t id, uint32_t now_s);
bool hf_fleet_drop_edgenode(struct hf_fleet *fleet, uint32_t id);

const struct hf_fleet_entry *hf_fleet_entry(const struct hf_fleet_node *node, uint64_t digest);
/* Whether the node reports another digest for the release, and not `digest`. */
bool hf_fleet_moved_on(const struct hf_fleet_node *node, uint64_t release, uint64_t digest);
bool hf_fleet_has_turn(const struct hf_fleet_node *node, uint64_t digest);

size_t hf_fleet_bytes(const struct hf_fleet *fleet);
