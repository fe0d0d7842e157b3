/* SPDX-License-Identifier: Apache-2.0 */
/* rollout/engine_impl.h - the records and functions that the files of the engine share. Only pkg/rollout/engine*.c
 * includes this header. */
#pragma once

#include "rollout/engine.h"
#include "rollout/fleet.h"
#include "rollout/rollout.h"
#include "rollout/status.h"

enum {
    HF_ENGINE_EFFECTS = 256, /* maximum number of effects in one plan */
    /* maximum number of failed nodes for which the engine keeps a struct note, for each EdgeUpdate */
    HF_ENGINE_NOTES = 16,
    HF_ENGINE_PREPARE = 20000, /* maximum number of nodes whose slots one plan computes */
};

#define HF_ENGINE_SLOT_MASK 0x3fffu
#define HF_ENGINE_SELECTED 0x4000u
#define HF_ENGINE_CANARY 0x8000u
#define HF_ENGINE_RETRY_NS (5 * HF_NS_PER_S)    /* pause after a conflict or an unknown result */
#define HF_ENGINE_REFUSED_NS (60 * HF_NS_PER_S) /* pause after a refusal by the server */
/* a write of unknown outcome, which the engine does not repeat, was not done if the working watches do not show it
 * within this time */
#define HF_ENGINE_DOUBT_NS (60 * HF_NS_PER_S)
#define HF_ENGINE_LOOK_NS (10 * HF_NS_PER_S) /* longest time between two counts of the nodes */
/* at most this much of the time between two steps counts as soaked or waited */
#define HF_ENGINE_WATCHED_NS (60 * HF_NS_PER_S)
#define HF_ENGINE_SLOW_NS (10 * HF_NS_PER_S) /* shortest time between two writes that change only counts */
/* a rollout with n selected nodes waits for at least n / HF_ENGINE_SLOW_NODES seconds between two such writes */
#define HF_ENGINE_SLOW_NODES 100

/* Reason and message of a failed node, for status.failures, or of one that cannot go on, for status.rollout.trouble. */
struct note {
    uint32_t node;
    char reason[128];
    char message[257];
};

/* One EdgeUpdate. */
struct track {
    char *name, *uid, *resource_version;
    struct hf_object_version version; /* resource_version as a number */
    int64_t generation;
    json_t *json;
    struct hf_edgeupdate *update; /* NULL if pkg/api refuses the object */
    char refused[HF_ROLLOUT_MESSAGE];
    struct hf_rollout_spec spec;
    struct hf_rollout_limits limits;
    uint64_t digest, release; /* keys of this release in the entries of a node (rollout/fleet.h) */

    /* Selectors, and arrays with one item for each node; the index is the node's number in the fleet: */
    struct hf_label_match select, canary;
    uint16_t *slots;  /* slot, HF_ENGINE_SELECTED, HF_ENGINE_CANARY */
    uint8_t *classes; /* enum hf_rollout_class */
    /* time (hf_fleet_seconds()) at which the node's activity (working, waiting for its turn, ...) last changed */
    uint32_t *since;
    /* hash of the node's value of the label that strategy.disruption.groupBy names; NULL without groupBy */
    uint32_t *groups;
    size_t cap;        /* length of the arrays */
    uint32_t prepared; /* the slots of nodes below this number are computed */

    struct note notes[HF_ENGINE_NOTES];
    size_t n_notes;
    struct note trouble; /* of the first node that could not go on and still has not; its reason is "" without one */
    struct hf_rollout_counts counts;
    uint32_t overdue[HF_ROLLOUT_FAILURES]; /* some of the nodes that missed progressDeadline */
    size_t n_overdue;
    uint32_t waiting_for[HF_ROLLOUT_WAITING_FOR];
    size_t n_waiting_for;
    unsigned n_turns;
    bool seen;      /* the object has come since hf_rollout_engine_list_begin() */
    bool turn_held; /* true if an Event reported that a silent node keeps its group waiting */
    bool told_halt; /* true if an Event of this leader or a former one reported the operator's halt */

    /* The rollout, while this process leads: */
    bool claimed;      /* the object contains this leader's epoch, and `state` is valid */
    bool dirty;        /* something has changed since looked_ns */
    bool write_starts; /* the write on its way starts the rollout of a new digest */
    bool has_doubt;    /* the result of a write is unknown: the object may contain `written` */
    unsigned written_news;
    struct hf_rollout_state state;   /* the state in the object, but with the newest soaked_ns and waited_ns */
    struct hf_rollout_decision next; /* the last decision */
    uint64_t stepped_ns;             /* time of the last step; 0 before the first one */
    uint64_t watched_ns;             /* time since which this process both leads and has the object */
    uint64_t looked_ns, slow_ns;     /* looked_ns: time of the last decision; slow_ns: time of the last write */
    uint64_t retry_ns;               /* no write before this time */
    uint64_t write;                  /* id of the write on its way; 0 without one */
    uint64_t write_version;          /* version of the object on which that write was decided */
    uint64_t due_ns;                 /* time of a postponed write; HF_NEVER without one */
    uint64_t wrote_ns;               /* like slow_ns, but 0 after the write that claims the object */
    struct hf_rollout_state written; /* the state in the last write; written_news has its news */
};

/* A write of an EdgeNode that is on its way, or whose outcome is not certain. */
struct node_write {
    uint64_t id; /* 0: the write is no longer on its way, but the EdgeNode has not yet shown its outcome */
    enum hf_rollout_effect_kind kind;
    uint32_t node;
    bool is_doubtful;  /* the server may have done an earlier attempt, whatever the result of the present one */
    uint64_t version;  /* resourceVersion of the EdgeNode on which the engine decided */
    uint64_t retry_ns; /* no repetition before this time */
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
    struct track **tracks; /* in the order of their names */
    size_t n_tracks, cap_tracks;
    bool complete[HF_ROLLOUT_KINDS], watched[HF_ROLLOUT_KINDS];
    uint64_t seeing_ns; /* time since which all lists are complete and all watches work; 0 before the next plan */
    uint64_t epoch;     /* 0: this process does not lead */
    uint64_t last_id, conflicts;
    struct node_write *writes;
    size_t n_writes, cap_writes;
    struct effect effects[HF_ENGINE_EFFECTS];
    struct hf_rollout_effect shown[HF_ENGINE_EFFECTS];
    size_t n_effects;
    struct effect *events; /* Events that wait for a place in a plan */
    size_t n_events, cap_events;
    double turn_tokens, silent_tokens; /* budgets of params.turns_per_s and params.silent_per_s */
    uint64_t tokens_ns;
    uint64_t blind_ns; /* blind_ns of the last plan */
    uint64_t nodes_looked_ns, turns_looked_ns;
    size_t n_silent;
    uint32_t silent_next; /* number of the node at which the next search for silent nodes begins */
    bool turns_dirty, allow_collect;
    uint64_t next_ns; /* becomes next_mono_ns of the plan that is being made */
};

/* The time by which nodes are judged (hf_fleet_seconds()): it stands still while the caller is blind. */
static inline uint32_t hf_rollout_node_seconds(const struct hf_rollout_now *now)
{
    return hf_fleet_seconds(now->mono_ns - now->blind_ns);
}

/* engine_take.c: objects from the source or, with the version on which the write was decided, from the answer to a
 * write (rollout/object_version.h). An answer does not show that a list contains the object. */
HF_MUST_USE int hf_rollout_take_edgenode(struct hf_rollout_engine *engine, const json_t *edgenode, uint64_t decided_on,
                                         const struct hf_rollout_now *now);
HF_MUST_USE int hf_rollout_take_update(struct hf_rollout_engine *engine, json_t *update, uint64_t decided_on,
                                       const struct hf_rollout_now *now);

/* engine_track.c: one EdgeUpdate and its arrays */
HF_MUST_USE int hf_rollout_track_new(const char *name, struct track **ret_track);
void hf_rollout_track_free(struct track *track);
/* Takes a version of the object; `decided_on` says where it comes from (rollout/object_version.h). */
HF_MUST_USE int hf_rollout_track_take(struct track *track, json_t *json, uint64_t decided_on);
HF_MUST_USE int hf_rollout_track_grow(struct track *track, size_t n);
/* Computes the slots of up to `budget` further nodes. Returns how many it computed. */
size_t hf_rollout_track_prepare(struct track *track, const struct hf_fleet *fleet, size_t budget);
/* Updates the track for one node. Call this function when the node's labels have changed, when its Node is gone, or
 * when its record is new or free. */
void hf_rollout_track_node(struct track *track, const struct hf_fleet *fleet, uint32_t id, bool is_new, uint32_t now_s);
void hf_rollout_track_notes(struct track *track, uint32_t id, const json_t *edgenode);

/* engine_count.c: looks at every node of one rollout */
void hf_rollout_count_nodes(const struct hf_rollout_engine *engine, struct track *track, uint32_t now_s);

/* Fits the wave that has opened to the nodes of the fleet: hf_rollout_fit_wave(). -ENOMEM. */
HF_MUST_USE int hf_rollout_fit(const struct hf_rollout_engine *engine, const struct track *track,
                               struct hf_rollout_state *state);

/* engine_status.c: decides on the status of one EdgeUpdate */
HF_MUST_USE int hf_rollout_plan_status(struct hf_rollout_engine *engine, struct track *track,
                                       const struct hf_rollout_now *now);
void hf_rollout_status_result(struct hf_rollout_engine *engine, struct track *track, int r,
                              const struct hf_rollout_now *now);
/* Call this function when the object has changed. If the result of a write was unknown, the object may now show its
 * outcome. */
void hf_rollout_status_seen(struct hf_rollout_engine *engine, struct track *track, const struct hf_rollout_now *now);

/* engine_turns.c: decides on turns */
/* Counts the turns of each rollout, and finds the silent nodes that keep their groups waiting. */
void hf_rollout_survey_turns(struct hf_rollout_engine *engine, const struct hf_rollout_now *now);
HF_MUST_USE int hf_rollout_plan_turns(struct hf_rollout_engine *engine, const struct hf_rollout_now *now);

/* engine_nodes.c: silent and orphaned EdgeNodes */
HF_MUST_USE int hf_rollout_plan_nodes(struct hf_rollout_engine *engine, const struct hf_rollout_now *now);

/* engine_effects.c */
/* makes the next plan due at this time or earlier */
void hf_rollout_due(struct hf_rollout_engine *engine, uint64_t mono_ns);
void hf_rollout_touch(struct hf_rollout_engine *engine);          /* marks every rollout as dirty */
bool hf_rollout_has_room(const struct hf_rollout_engine *engine); /* false: this plan is full */
/* Adds a write to the plan. Returns its id, or 0 if memory runs out or the plan is full. Takes ownership of `body`,
 * also on failure; `body` is NULL for COLLECT. */
uint64_t hf_rollout_emit(struct hf_rollout_engine *engine, enum hf_rollout_effect_kind kind, const char *name,
                         json_t *body, bool is_urgent);
/* Queues an Event for a plan. Drops the Event if memory runs out or 1,000 Events wait. */
void hf_rollout_event(struct hf_rollout_engine *engine, const struct track *track, const char *reason, bool is_warning,
                      const char *format, ...) HF_PRINTF(5, 6);
void hf_rollout_clear_effects(struct hf_rollout_engine *engine);
void hf_rollout_show_effects(struct hf_rollout_engine *engine, struct hf_rollout_plan *ret_plan);
/* Adds a write of an EdgeNode to the plan and to engine->writes. Takes ownership of `body`, also on failure. -ENOMEM:
 * memory ran out, the plan is full, or the engine waits for the outcome of 4,096 writes. */
HF_MUST_USE int hf_rollout_write_node(struct hf_rollout_engine *engine, enum hf_rollout_effect_kind kind, uint32_t node,
                                      json_t *body, const struct hf_fleet_turns *turns);
/* Returns true if a write of this EdgeNode is on its way, or if a pause after a refusal lasts. */
bool hf_rollout_must_wait(const struct hf_rollout_engine *engine, uint32_t node, const struct hf_rollout_now *now);
/* Forgets the writes of this EdgeNode whose answer has arrived and whose outcome the EdgeNode now shows: its
 * resourceVersion is higher than when the engine decided on the write. */
void hf_rollout_settle_node(struct hf_rollout_engine *engine, uint32_t node);
/* Forgets the writes of unknown outcome that HF_ENGINE_DOUBT_NS has passed over. */
void hf_rollout_end_doubts(struct hf_rollout_engine *engine, const struct hf_rollout_now *now);
void hf_rollout_forget_node(struct hf_rollout_engine *engine, uint32_t node);
/* Forgets the writes of this EdgeNode after a restore of the store, which has none of them. If the node had turns, or
 * had one on its way, it may have begun to swap before the restore: it counts as busy for a minute, to say so. */
void hf_rollout_rewind_node(struct hf_rollout_engine *engine, uint32_t node, bool had_turns,
                            const struct hf_rollout_now *now);
/* Records the result of the write with this id, and sets *ret_write to what it was. Returns false if no EdgeNode has
 * such a write. */
bool hf_rollout_node_result(struct hf_rollout_engine *engine, uint64_t id, int r, const struct hf_rollout_now *now,
                            struct node_write *ret_write);
