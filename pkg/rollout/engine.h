/* rollout/engine.h - decides for a whole fleet which node may update when, and what the objects' status must say. The
 * engine is state + event + time -> effects: it opens no file, reads no clock and makes no call.
 *
 * The caller passes in every Node, EdgeNode and EdgeUpdate as it arrives from the API server, and says whether this
 * process leads. Then the caller asks for a plan: a list of writes and Events, and the time of the next question. The
 * caller performs the writes in any order, and reports the result of each one. A write that is on its way is not
 * planned again.
 *
 *     hf_rollout_engine_take_update(engine, json, &now);
 *     hf_rollout_engine_plan(engine, &now, &plan);
 *     for each plan.effects[i]: send it, later hf_rollout_engine_result(engine, plan.effects[i].id, 0, object, &now)
 *
 * Every write carries the resourceVersion of the object on which the engine decided. So the API server refuses a
 * write whose ground is older: that of a slow former leader, or of a lost race. Before any other decision, a new leader
 * writes its epoch into the object.
 *
 * Threads: one thread at a time. Memory: the engine copies what it keeps of Nodes and EdgeNodes (below 200 bytes a
 * node), and holds a reference to the JSON of each EdgeUpdate. Errors: 0 or -errno; bad input affects only the object
 * that has it. */
#pragma once

#include "api/edgeupdate.h"
#include "rollout/counts.h"

struct hf_rollout_engine;

/* One reading of both clocks. `unix_ns` is used only for times that people read, and to find out how old a report
 * was when this process started. */
struct hf_rollout_now {
    uint64_t mono_ns; /* CLOCK_BOOTTIME or the like: it never goes back */
    uint64_t unix_ns; /* best estimate of the API server's time of day */
};

struct hf_rollout_params {
    unsigned silent_factor;    /* a node is silent after this many of its intervals; 0 means 3 */
    uint64_t collect_after_ns; /* an EdgeNode without Node is collected after this time; 0 means 24 h */
    unsigned silent_per_s;     /* largest number of EdgeNodes marked silent in one second; 0 means 20 */
    unsigned turns_per_s;      /* largest number of EdgeNode.spec writes in one second; 0 means 50 */
    bool keep_silent_nodes;    /* true: never mark a silent EdgeNode (tests of the rollout alone) */
};

HF_MUST_USE int hf_rollout_engine_new(const struct hf_rollout_params *params, struct hf_rollout_engine **ret_engine);
void hf_rollout_engine_free(struct hf_rollout_engine *engine);
HF_DEFINE_CLEANUP(struct hf_rollout_engine, hf_rollout_engine_free)

/* ---- events ------------------------------------------------------------------------------------------------------ */

/* A Node (core/v1) is new or changed. Only metadata.name and metadata.labels are read, so the caller may pass a reduced
 * object. -EBADMSG: the object has no name. -ENOMEM. */
HF_MUST_USE int hf_rollout_engine_take_node(struct hf_rollout_engine *engine, const json_t *node,
                                            const struct hf_rollout_now *now);
/* A Node was deleted, or is missing in a complete list. */
void hf_rollout_engine_drop_node(struct hf_rollout_engine *engine, const char *name, const struct hf_rollout_now *now);

/* An EdgeNode is new or changed. An object with a lower metadata.resourceVersion than the last one changes nothing. A
 * status whose `sequence` is not new counts as no sign of life, and one with a lower sequence is ignored, unless
 * another, higher one follows it (an agent that lost its state folder). -EBADMSG: the object has no name. -ENOMEM. */
HF_MUST_USE int hf_rollout_engine_take_edgenode(struct hf_rollout_engine *engine, const json_t *edgenode,
                                                const struct hf_rollout_now *now);
void hf_rollout_engine_drop_edgenode(struct hf_rollout_engine *engine, const char *name,
                                     const struct hf_rollout_now *now);

/* An EdgeUpdate is new or changed; the engine keeps a reference. An object that pkg/api refuses gets a status with the
 * reason ObjectRefused, and is not a failure of this call. An object with a lower resourceVersion than the last one of
 * the same uid changes nothing. -EBADMSG: the object has no name. -ENOMEM. The call may block while it reads zoneinfo
 * files, if the object has windows. */
HF_MUST_USE int hf_rollout_engine_take_update(struct hf_rollout_engine *engine, json_t *update,
                                              const struct hf_rollout_now *now);
void hf_rollout_engine_drop_update(struct hf_rollout_engine *engine, const char *name,
                                   const struct hf_rollout_now *now);

/* A complete list replaces what the engine has. Call _begin, pass in every object of the list, then call _end: it drops
 * each object of the kind that was not passed in since, and marks the kind as complete. Without an _end for all three
 * kinds, the engine plans no write. */
enum hf_rollout_kind { HF_ROLLOUT_NODES, HF_ROLLOUT_EDGENODES, HF_ROLLOUT_UPDATES, HF_ROLLOUT_KINDS };
void hf_rollout_engine_list_begin(struct hf_rollout_engine *engine, enum hf_rollout_kind kind);
void hf_rollout_engine_list_end(struct hf_rollout_engine *engine, enum hf_rollout_kind kind,
                                const struct hf_rollout_now *now);

/* The watch of a kind broke, or works again. While one is broken, the engine plans no write, because it would take
 * every node for silent. hf_rollout_engine_list_begin() and _end() imply the same. */
void hf_rollout_engine_watch(struct hf_rollout_engine *engine, enum hf_rollout_kind kind, bool works);

/* This process became the leader with this epoch (a number that grows with each change of the leader, at least 1), or
 * is the leader no more (epoch 0). A process that does not lead observes, and plans nothing. */
void hf_rollout_engine_lead(struct hf_rollout_engine *engine, uint64_t epoch, const struct hf_rollout_now *now);

/* ---- effects ----------------------------------------------------------------------------------------------------- */

enum hf_rollout_effect_kind {
    HF_ROLLOUT_STATUS,  /* apply `body` to the status of EdgeUpdate `name` (force, field manager of the controller) */
    HF_ROLLOUT_TURNS,   /* apply `body` to EdgeNode `name` (spec; force) */
    HF_ROLLOUT_SILENT,  /* apply `body` to the status of EdgeNode `name` (force): the condition Ready=Unknown */
    HF_ROLLOUT_COLLECT, /* read EdgeNode `name`, and delete it with the uid and resourceVersion that were read */
    HF_ROLLOUT_EVENT,   /* create a Kubernetes Event regarding EdgeUpdate `name`; needs no result */
};

/* All strings and `body` are valid until the next call of hf_rollout_engine_plan(); take a reference to `body` to keep
 * it longer. */
struct hf_rollout_effect {
    enum hf_rollout_effect_kind kind;
    uint64_t id;        /* for hf_rollout_engine_result(); 0 for an Event */
    const char *name;   /* name of the object */
    const json_t *body; /* whole object for a server-side apply, with metadata.resourceVersion; else NULL */
    bool is_urgent;     /* STATUS: true if agents wait for it (admission), false for counts alone */
    const char *uid;    /* EVENT: uid of the EdgeUpdate */
    const char *reason; /* EVENT: CamelCase word, such as "StageAdmitted" */
    const char *note;   /* EVENT: a sentence for people, at most 1,000 bytes */
    bool is_warning;    /* EVENT: type Warning instead of Normal */
};

struct hf_rollout_plan {
    const struct hf_rollout_effect *effects;
    size_t n;
    uint64_t next_mono_ns; /* ask again at this time at the latest, and soon after each event; HF_NEVER if idle */
};

/* Decides what must be written now. One call plans at most 256 effects; if more are due, next_mono_ns is now.
 * -ENOMEM: the plan lacks what could not be decided. Perform it all the same, and ask again later. */
HF_MUST_USE int hf_rollout_engine_plan(struct hf_rollout_engine *engine, const struct hf_rollout_now *now,
                                       struct hf_rollout_plan *ret_plan);

/* Reports the result of one write, exactly once per effect, also after this process ceased to lead. `r`: 0 (written or
 * deleted), -ESTALE (409 Conflict: the watch brings the newer object), -ENOENT (the object is gone), -EBADMSG or
 * -EACCES (refused for good, such as by a policy), anything else: unknown, it may have been written. `object` is the
 * object in the answer, or NULL. */
void hf_rollout_engine_result(struct hf_rollout_engine *engine, uint64_t id, int r, const json_t *object,
                              const struct hf_rollout_now *now);

/* ---- for metrics, logs and benchmarks ---------------------------------------------------------------------------- */

struct hf_rollout_view {
    const char *name;    /* name of the EdgeUpdate */
    const char *release; /* release name; "" if the object is refused */
    const char *phase;   /* such as "WaveSoak"; "" without strategy */
    const char *reason;  /* reason of the condition Ready that the engine last planned */
    unsigned wave;
    unsigned cutoff; /* admitted slots in basis points, 10000 without strategy */
    struct hf_rollout_counts counts;
    unsigned turns; /* nodes that hold a turn of this release */
    bool refused;
};
void hf_rollout_engine_each(const struct hf_rollout_engine *engine,
                            void (*visit)(void *arg, const struct hf_rollout_view *view), void *arg);

struct hf_rollout_fleet_view {
    size_t nodes;       /* Nodes */
    size_t edgenodes;   /* EdgeNodes */
    size_t silent;      /* EdgeNodes that are silent, by the last look of a leader */
    size_t orphans;     /* EdgeNodes without Node */
    size_t bytes;       /* memory of all records, with labels and with the records of each rollout */
    uint64_t conflicts; /* writes that the API server refused because the object was newer */
};
void hf_rollout_engine_fleet(const struct hf_rollout_engine *engine, struct hf_rollout_fleet_view *ret_view);

/* Allows the next plan to collect more than 30 % of all EdgeNodes at once (an operator asked for it). */
void hf_rollout_engine_allow_collect(struct hf_rollout_engine *engine, bool allow);
