/* rollout/engine_impl.h - what the files of the engine share: its records, and the order in which one plan looks at
 * them. Only pkg/rollout/engine*.c includes this. */
#pragma once

#include "rollout/engine.h"
#include "rollout/fleet.h"
#include "rollout/rollout.h"
#include "rollout/status.h"

enum {
    HF_ENGINE_EFFECTS = 256,     /* effects of one plan */
    HF_ENGINE_NOTES = 16,        /* failed nodes of one EdgeUpdate whose words are kept */
    HF_ENGINE_PREPARE = 20000,   /* nodes whose slots one plan computes */
    HF_ENGINE_MAX_UPDATES = 500, /* EdgeUpdates; more are refused with -E2BIG */
};

#define HF_ENGINE_SLOT_MASK 0x3fffu
#define HF_ENGINE_SELECTED 0x4000u
#define HF_ENGINE_CANARY 0x8000u
#define HF_ENGINE_RETRY_NS (5 * HF_NS_PER_S)    /* after a conflict or an unknown result */
#define HF_ENGINE_REFUSED_NS (60 * HF_NS_PER_S) /* after a refusal */
#define HF_ENGINE_LOOK_NS (10 * HF_NS_PER_S)    /* how often time alone may change what nodes count as */
#define HF_ENGINE_WATCHED_NS (60 * HF_NS_PER_S) /* longest time between two plans that counts as watched */
#define HF_ENGINE_SLOW_NS (10 * HF_NS_PER_S)    /* shortest time between two writes of counts alone */
#define HF_ENGINE_SLOW_NODES 100                /* and one second more for so many selected nodes */

/* The words of a failed node, for status.failures. */
struct note {
    uint32_t node;
    char reason[128];
    char message[257];
};

/* One EdgeUpdate. */
struct track {
    char *name, *uid, *resource_version;
    uint64_t version; /* resourceVersion as a number; 0 if it is none */
    int64_t generation;
    json_t *json;
    struct hf_edgeupdate *update; /* NULL if pkg/api refuses the object */
    char refused[HF_ROLLOUT_MESSAGE];
    struct hf_rollout_spec spec;
    struct hf_rollout_limits limits;
    uint64_t digest, release; /* keys of the fleet's entries */

    /* For each node, by its number: */
    struct hf_label_match select, canary;
    uint16_t *slots;   /* slot, HF_ENGINE_SELECTED, HF_ENGINE_CANARY */
    uint8_t *classes;  /* enum hf_rollout_class */
    uint32_t *since;   /* second at which the node began what it does: to work, to wait for its turn, ... */
    uint32_t *groups;  /* hash of the value of strategy.disruption.groupBy; NULL without */
    size_t cap;        /* length of the arrays */
    uint32_t prepared; /* nodes below this number have their slots */

    struct note notes[HF_ENGINE_NOTES];
    size_t n_notes;
    struct hf_rollout_counts counts;
    uint32_t overdue[HF_ROLLOUT_FAILURES]; /* some nodes that missed the progressDeadline */
    size_t n_overdue;
    uint32_t waiting_for[HF_ROLLOUT_WAITING_FOR];
    size_t n_waiting_for;
    unsigned n_turns;
    bool seen;      /* the list in progress had the object */
    bool turn_held; /* an Event about a silent holder was sent */

    /* The rollout, while this process leads: */
    bool claimed;      /* the object has our epoch, and `state` is valid */
    bool dirty;        /* something has changed since the last look */
    bool write_starts; /* the write starts the rollout of a new digest */
    bool has_doubt;    /* `written` may have been written: the result is unknown */
    unsigned written_news;
    struct hf_rollout_state state;   /* what the object has, but for the soaked time */
    struct hf_rollout_decision next; /* the last decision */
    uint64_t stepped_ns;             /* time of the last step; 0 before the first one */
    uint64_t watched_ns;             /* time since which this process leads and sees the nodes */
    uint64_t looked_ns, slow_ns;     /* times of the last look, and of the last write */
    uint64_t retry_ns;               /* no write before this time */
    uint64_t write;                  /* id of the write on its way; 0 */
    uint64_t due_ns;                 /* time of a postponed write; HF_NEVER */
    uint64_t wrote_ns;               /* time of the last write, urgent or not */
    struct hf_rollout_state written;
};

/* A write of an EdgeNode on its way, or of unknown outcome. */
struct node_write {
    uint64_t id; /* 0: answered, and the outcome is unknown */
    enum hf_rollout_effect_kind kind;
    uint32_t node;
    uint64_t version; /* resourceVersion on which it was decided */
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
    struct track **tracks; /* in the order of their names */
    size_t n_tracks, cap_tracks;
    bool complete[HF_ROLLOUT_KINDS], watched[HF_ROLLOUT_KINDS];
    uint64_t epoch; /* 0: does not lead */
    uint64_t last_id, conflicts;
    struct node_write *writes;
    size_t n_writes, cap_writes;
    struct effect effects[HF_ENGINE_EFFECTS];
    struct hf_rollout_effect shown[HF_ENGINE_EFFECTS];
    size_t n_effects;
    struct effect *events; /* Events that wait for the next plan */
    size_t n_events, cap_events;
    double turn_tokens, silent_tokens; /* budgets */
    uint64_t tokens_ns;
    uint64_t nodes_looked_ns, turns_looked_ns;
    size_t n_silent;
    bool turns_dirty, allow_collect;
    uint64_t next_ns; /* while a plan is made */
};

/* engine_track.c: one EdgeUpdate and its arrays */
HF_MUST_USE int hf_rollout_track_new(const char *name, struct track **ret_track);
void hf_rollout_track_free(struct track *track);
HF_MUST_USE int hf_rollout_track_take(struct track *track, json_t *json);
HF_MUST_USE int hf_rollout_track_grow(struct track *track, size_t n);
/* Computes slots of up to `budget` further nodes; returns how many. */
size_t hf_rollout_track_prepare(struct track *track, const struct hf_fleet *fleet, size_t budget);
/* The labels of one node have changed, or the record is new. */
void hf_rollout_track_node(struct track *track, const struct hf_fleet *fleet, uint32_t id, bool is_new, uint32_t now_s);
void hf_rollout_track_notes(struct track *track, uint32_t id, const json_t *edgenode);

/* engine_count.c: looks at every node of one rollout */
void hf_rollout_count_nodes(const struct hf_rollout_engine *engine, struct track *track, uint32_t now_s);

/* engine_status.c: decides on the status of one EdgeUpdate */
HF_MUST_USE int hf_rollout_plan_status(struct hf_rollout_engine *engine, struct track *track,
                                       const struct hf_rollout_now *now);
void hf_rollout_status_result(struct hf_rollout_engine *engine, struct track *track, int r,
                              const struct hf_rollout_now *now);
/* The object has changed: takes over what it says about a write of unknown outcome. */
void hf_rollout_status_seen(struct hf_rollout_engine *engine, struct track *track, const struct hf_rollout_now *now);

/* engine_turns.c: decides on turns */
/* Counts the turns of each rollout, and finds the silent holders. */
void hf_rollout_survey_turns(struct hf_rollout_engine *engine, const struct hf_rollout_now *now);
HF_MUST_USE int hf_rollout_plan_turns(struct hf_rollout_engine *engine, const struct hf_rollout_now *now);

/* engine_nodes.c: silent and orphaned EdgeNodes */
HF_MUST_USE int hf_rollout_plan_nodes(struct hf_rollout_engine *engine, const struct hf_rollout_now *now);

/* engine_effects.c */
void hf_rollout_due(struct hf_rollout_engine *engine, uint64_t mono_ns); /* the next plan is due at that time */
void hf_rollout_touch(struct hf_rollout_engine *engine);                 /* every rollout must be looked at again */
bool hf_rollout_has_room(const struct hf_rollout_engine *engine);        /* false: sets the next plan to now */
/* Adds a write and returns its id, or 0 without memory. Takes over `body`, which may be NULL for COLLECT. */
uint64_t hf_rollout_emit(struct hf_rollout_engine *engine, enum hf_rollout_effect_kind kind, const char *name,
                         json_t *body, bool is_urgent);
/* Queues an Event; loses it without memory. */
void hf_rollout_event(struct hf_rollout_engine *engine, const struct track *track, const char *reason, bool is_warning,
                      const char *format, ...) HF_PRINTF(5, 6);
void hf_rollout_clear_effects(struct hf_rollout_engine *engine);
void hf_rollout_show_effects(struct hf_rollout_engine *engine, struct hf_rollout_plan *ret_plan);
/* Adds a write of an EdgeNode and remembers it. -ENOMEM. */
HF_MUST_USE int hf_rollout_write_node(struct hf_rollout_engine *engine, enum hf_rollout_effect_kind kind, uint32_t node,
                                      json_t *body, const struct hf_fleet_turns *turns);
/* Forgets the writes of this node that a newer object has settled. */
void hf_rollout_settle_node(struct hf_rollout_engine *engine, uint32_t node);
void hf_rollout_forget_node(struct hf_rollout_engine *engine, uint32_t node);
/* Notes the result of the write with this id; returns false if no EdgeNode has such a write. */
bool hf_rollout_node_result(struct hf_rollout_engine *engine, uint64_t id, int r, const struct hf_rollout_now *now,
                            uint32_t *ret_node);
