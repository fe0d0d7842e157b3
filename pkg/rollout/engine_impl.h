/* SPDX-License-Identifier: Apache-2.0 */
/* Internals of pkg/rollout/engine*.c. */
#pragma once

#include "base/bucket.h"
#include "rollout/engine.h"
#include "rollout/fleet.h"
#include "rollout/rollout.h"
#include "rollout/status.h"

enum {
    HF_ENGINE_EFFECTS = 256,
    HF_ENGINE_NOTES = 16,
};

#define HF_ENGINE_SLOT_MASK 0x3fffu
#define HF_ENGINE_SELECTED 0x4000u
#define HF_ENGINE_CANARY 0x8000u
#define HF_ENGINE_RETRY_NS (5 * HF_NS_PER_S) /* after a conflict or unknown result */
#define HF_ENGINE_REFUSED_NS (60 * HF_NS_PER_S)
/* a write of unknown outcome that no object shows after this time counts as not done */
#define HF_ENGINE_DOUBT_NS (60 * HF_NS_PER_S)
#define HF_ENGINE_LOOK_NS (10 * HF_NS_PER_S) /* longest time between counts of the nodes */

struct note {
    uint32_t node;
    char reason[128];
    char message[257];
};

/* The write of an EdgeUpdate's status: on its way, in doubt, postponed or the last one. */
struct status_write {
    uint64_t id;         /* the write on its way, or 0 */
    uint64_t decided_on; /* resourceVersion that the write was decided on */
    struct hf_rollout_state state;
    unsigned news;
    enum hf_rollout_claim claim;
    bool in_doubt;     /* the object may have `state` or not */
    uint64_t retry_ns; /* no write before */
    uint64_t due_ns;   /* when a postponed write is due, or HF_NEVER */
    uint64_t sent_ns;  /* 0: never */
    uint64_t wrote_ns; /* as sent_ns, but 0 if the write claimed the object */
};

struct track {
    char *name, *uid, *resource_version;
    struct hf_object_version version;
    int64_t generation;
    json_t *json;
    struct hf_edgeupdate *update; /* NULL: refused */
    char refused[HF_ROLLOUT_MESSAGE];
    struct hf_rollout_spec spec;
    struct hf_rollout_limits limits;
    uint64_t digest, release; /* keys (rollout/fleet.h) */

    struct hf_label_match select, canary;
    /* Arrays by the node's number in the fleet: */
    uint16_t *slots;  /* hash slot, with HF_ENGINE_SELECTED and HF_ENGINE_CANARY */
    uint8_t *classes; /* enum hf_rollout_class */
    uint32_t *since;  /* begin of the present activity (hf_fleet_seconds()) */
    uint32_t *groups; /* hashes of the groupBy label, or NULL */
    size_t cap;
    uint32_t prepared; /* `slots` is filled below this number */

    struct note notes[HF_ENGINE_NOTES];
    size_t n_notes;
    struct note trouble; /* reason "": none */
    struct hf_rollout_counts counts;
    uint32_t overdue[HF_ROLLOUT_FAILURES];
    size_t n_overdue;
    uint32_t waiting_for[HF_ROLLOUT_WAITING_FOR];
    size_t n_waiting_for;
    unsigned n_turns;
    bool seen;
    bool turn_held; /* an Event has told that a silent node blocks its group */
    bool told_halt;

    /* If leading: */
    bool claimed; /* the object has our epoch, and `state` is valid */
    bool dirty;
    struct hf_rollout_state state; /* the object's state, with the newest times */
    struct hf_rollout_decision next;
    uint64_t stepped_ns;
    uint64_t watched_ns; /* since when this process leads and has the object */
    uint64_t looked_ns;
    struct status_write write;
};

/* A write of an EdgeNode that is on its way, or of unknown outcome. */
struct node_write {
    uint64_t id; /* 0: answered, but no object shows it */
    enum hf_rollout_effect_kind kind;
    uint32_t node;
    bool is_doubtful; /* an earlier attempt may have been carried out */
    uint64_t version; /* resourceVersion that the write was decided on */
    uint64_t retry_ns;
    struct hf_fleet_turns turns;
};

struct effect {
    struct hf_rollout_effect effect;
    char *name, *uid, *note;
    json_t *body;
};

struct hf_rollout_engine {
    struct hf_rollout_params params;
    struct hf_fleet fleet;
    struct track **tracks;
    size_t n_tracks, cap_tracks;
    bool complete[HF_ROLLOUT_KINDS], watched[HF_ROLLOUT_KINDS];
    uint64_t seeing_ns; /* since when plans see all kinds of objects; 0: not now */
    uint64_t epoch;     /* 0: does not lead */
    uint64_t last_id, conflicts;
    struct node_write *writes;
    size_t n_writes, cap_writes;
    struct effect effects[HF_ENGINE_EFFECTS];
    struct hf_rollout_effect shown[HF_ENGINE_EFFECTS];
    size_t n_effects;
    struct effect *events; /* wait until a plan has room */
    size_t n_events, cap_events;
    struct hf_bucket turns, silents;
    uint64_t blind_ns;
    uint64_t nodes_looked_ns, turns_looked_ns;
    size_t n_silent;
    uint32_t silent_next;
    bool turns_dirty, allow_collect;
    uint64_t next_ns;
};

/* The clock for nodes: it stands still while the caller is blind. */
static inline uint32_t hf_rollout_node_seconds(const struct hf_rollout_now *now)
{
    return hf_fleet_seconds(now->mono_ns - now->blind_ns);
}

/* Take an object. `decided_on`: see hf_object_version_take(). Only an object from list or watch counts as listed. */
HF_MUST_USE int hf_rollout_take_edgenode(struct hf_rollout_engine *engine, const json_t *edgenode, uint64_t decided_on,
                                         const struct hf_rollout_now *now);
HF_MUST_USE int hf_rollout_take_update(struct hf_rollout_engine *engine, json_t *update, uint64_t decided_on,
                                       const struct hf_rollout_now *now);

HF_MUST_USE int hf_rollout_track_new(const char *name, struct track **ret_track);
void hf_rollout_track_free(struct track *track);
HF_MUST_USE int hf_rollout_track_take(struct track *track, json_t *json, uint64_t decided_on);
HF_MUST_USE int hf_rollout_track_grow(struct track *track, size_t n);
/* Fills `slots` for up to `budget` more nodes. Returns for how many. */
size_t hf_rollout_track_prepare(struct track *track, const struct hf_fleet *fleet, size_t budget);
void hf_rollout_track_node(struct track *track, const struct hf_fleet *fleet, uint32_t id, bool is_new, uint32_t now_s);
void hf_rollout_track_notes(struct track *track, uint32_t id, const json_t *edgenode);

/* Whether the node is a canary, or of an open stage; true without a strategy. */
bool hf_rollout_is_reached(const struct track *track, uint32_t id);
void hf_rollout_count_nodes(const struct hf_rollout_engine *engine, struct track *track, uint32_t now_s);

/* Calls hf_rollout_fit_wave() after a wave has opened. */
HF_MUST_USE int hf_rollout_fit(const struct hf_rollout_engine *engine, const struct track *track,
                               struct hf_rollout_state *state);

HF_MUST_USE int hf_rollout_plan_status(struct hf_rollout_engine *engine, struct track *track,
                                       const struct hf_rollout_now *now);
void hf_rollout_status_result(struct hf_rollout_engine *engine, struct track *track, int r,
                              const struct hf_rollout_now *now);
/* Called when the object has changed: it may show a write of unknown outcome. */
void hf_rollout_status_seen(struct hf_rollout_engine *engine, struct track *track, const struct hf_rollout_now *now);

/* Counts turns, and finds silent nodes that block their groups. */
void hf_rollout_survey_turns(struct hf_rollout_engine *engine, const struct hf_rollout_now *now);
HF_MUST_USE int hf_rollout_plan_turns(struct hf_rollout_engine *engine, const struct hf_rollout_now *now);

HF_MUST_USE int hf_rollout_plan_nodes(struct hf_rollout_engine *engine, const struct hf_rollout_now *now);

void hf_rollout_due(struct hf_rollout_engine *engine, uint64_t mono_ns);
void hf_rollout_touch(struct hf_rollout_engine *engine);
bool hf_rollout_has_room(const struct hf_rollout_engine *engine);
/* Adds an effect. Returns its id, or 0 (no memory, or a full plan). Takes over `body`, even on failure. */
uint64_t hf_rollout_emit(struct hf_rollout_engine *engine, enum hf_rollout_effect_kind kind, const char *name,
                         json_t *body, bool is_urgent);
void hf_rollout_event(struct hf_rollout_engine *engine, const struct track *track, const char *reason, bool is_warning,
                      const char *format, ...) HF_PRINTF(5, 6);
void hf_rollout_clear_effects(struct hf_rollout_engine *engine);
void hf_rollout_show_effects(struct hf_rollout_engine *engine, struct hf_rollout_plan *ret_plan);
/* Adds a write. Takes over `body`, even on failure. -ENOMEM: no memory, a full plan, or 4,096 unsettled writes. */
HF_MUST_USE int hf_rollout_write_node(struct hf_rollout_engine *engine, enum hf_rollout_effect_kind kind, uint32_t node,
                                      json_t *body, const struct hf_fleet_turns *turns);
/* Whether a write is on its way, or the node has a pause. */
bool hf_rollout_must_wait(const struct hf_rollout_engine *engine, uint32_t node, const struct hf_rollout_now *now);
/* Forgets answered writes when the node has a newer resourceVersion. */
void hf_rollout_settle_node(struct hf_rollout_engine *engine, uint32_t node);
void hf_rollout_end_doubts(struct hf_rollout_engine *engine, const struct hf_rollout_now *now);
void hf_rollout_forget_node(struct hf_rollout_engine *engine, uint32_t node);
/* After a restored backup: a node with turns may have begun to swap, and counts as busy for a minute. */
void hf_rollout_rewind_node(struct hf_rollout_engine *engine, uint32_t node, bool had_turns,
                            const struct hf_rollout_now *now);
/* Returns false if there is no such write. */
bool hf_rollout_node_result(struct hf_rollout_engine *engine, uint64_t id, int r, const struct hf_rollout_now *now,
                            struct node_write *ret_write);
