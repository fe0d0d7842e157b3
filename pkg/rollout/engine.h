/* SPDX-License-Identifier: Apache-2.0 */
/* rollout/engine.h - decides for a whole fleet when each node may update, and which status each EdgeUpdate and each
 * silent EdgeNode gets. The engine only turns state, events and time into effects. It reads no clock, makes no network
 * call, and opens no file except zoneinfo files.
 *
 * The caller passes in every Node, EdgeNode and EdgeUpdate as it arrives from the API server, and reports whether this
 * process leads. Then the caller asks for a plan: a list of writes and Events, and the time at which to ask again. The
 * caller performs the writes in any order, and reports the result of each write. The engine does not plan a write again
 * while its result is outstanding.
 *
 *     hf_rollout_engine_take_update(engine, json, &now);
 *     hf_rollout_engine_plan(engine, &now, &plan);
 *     for each plan.effects[i]: send it, later hf_rollout_engine_result(engine, plan.effects[i].id, 0, object, &now)
 *
 * Every apply carries the resourceVersion of the object on which the engine decided. So the API server refuses an apply
 * that was decided on an older version of the object, for example by a slow former leader. Before any other write to an
 * EdgeUpdate with a strategy, a new leader writes its epoch into the object.
 *
 * Threads: one thread at a time. Memory: the engine copies what it keeps of Nodes and EdgeNodes (below 200 bytes a
 * node), and holds a reference to the JSON of each EdgeUpdate. Errors: 0 or -errno; bad input affects only the object
 * that contains it. After -ENOMEM from a function that takes an object, the engine lacks what the object says: the
 * caller must list the kind again (hf_rollout_engine_list_begin()), because a watch does not repeat an object. Until
 * then the engine goes on with what it has, and a write that it decides on an old object meets a conflict. */
#pragma once

#include "api/edgeupdate.h"
#include "rollout/counts.h"

enum { HF_ROLLOUT_MAX_UPDATES = 500 }; /* EdgeUpdates of one engine; more are refused with -E2BIG */

struct hf_rollout_engine;

/* One reading of the clocks. The engine uses `unix_ns` only for times that people read, and for the age of reports
 * that are older than this process. */
struct hf_rollout_now {
    uint64_t mono_ns; /* a clock that never goes back, such as CLOCK_BOOTTIME */
    uint64_t unix_ns; /* best estimate of the API server's time of day */
    /* The part of mono_ns in which the caller could not hear from the nodes, for example because the API server was
     * away. This time makes no node silent, and no stage soaks or waits between two plans between which it grew. */
    uint64_t blind_ns;
};

struct hf_rollout_params {
    uint64_t collect_after_ns; /* time without a Node after which an EdgeNode is deleted; 0 means 24 h */
    unsigned silent_per_s;     /* largest number of EdgeNodes marked silent in one second; 0 means 20 */
    unsigned turns_per_s;      /* largest number of EdgeNode.spec writes in one second; 0 means 50 */
    bool keep_silent_nodes;    /* true: never mark a silent EdgeNode; for tests */
};

HF_MUST_USE int hf_rollout_engine_new(const struct hf_rollout_params *params, struct hf_rollout_engine **ret_engine);
void hf_rollout_engine_free(struct hf_rollout_engine *engine);
HF_DEFINE_CLEANUP(struct hf_rollout_engine, hf_rollout_engine_free)

/* ---- events ------------------------------------------------------------------------------------------------------ */

/* Takes a new or changed Node (core/v1). The engine reads only metadata.name and metadata.labels, so the caller may
 * pass a reduced object. -EBADMSG: the object has no valid name. -E2BIG: too many nodes (HF_FLEET_MAX). -ENOMEM. */
HF_MUST_USE int hf_rollout_engine_take_node(struct hf_rollout_engine *engine, const json_t *node,
                                            const struct hf_rollout_now *now);
/* Removes a deleted Node. Does nothing if the engine has no such Node. */
void hf_rollout_engine_drop_node(struct hf_rollout_engine *engine, const char *name, const struct hf_rollout_now *now);

/* Takes a new or changed EdgeNode from the source, which delivers the versions of one object in order. An object that
 * the answer to a write has overtaken changes nothing. An object whose metadata.resourceVersion went back comes from a
 * restored backup: the engine takes it, and forgets the writes of this EdgeNode that were decided before. Only a status
 * with a higher `sequence` than before counts as a report. The engine ignores the first status with a lower sequence;
 * if the sequence then grows again, the agent has lost its state folder, and its reports count again. -EBADMSG: the
 * object has no valid name. -E2BIG: too many nodes (HF_FLEET_MAX). -ENOMEM. */
HF_MUST_USE int hf_rollout_engine_take_edgenode(struct hf_rollout_engine *engine, const json_t *edgenode,
                                                const struct hf_rollout_now *now);
void hf_rollout_engine_drop_edgenode(struct hf_rollout_engine *engine, const char *name,
                                     const struct hf_rollout_now *now);

/* Takes a new or changed EdgeUpdate and keeps a reference to it. If pkg/api refuses the object, the call returns 0, and
 * the object gets a status with the reason ObjectRefused. Versions go back in the same way as for an EdgeNode. A
 * rollout in progress then goes on, and the engine writes its state again. -EBADMSG: the object has no valid name.
 * -E2BIG: there are HF_ROLLOUT_MAX_UPDATES already. -ENOMEM. The call may block while it reads zoneinfo files, if the
 * object has windows. */
HF_MUST_USE int hf_rollout_engine_take_update(struct hf_rollout_engine *engine, json_t *update,
                                              const struct hf_rollout_now *now);
void hf_rollout_engine_drop_update(struct hf_rollout_engine *engine, const char *name,
                                   const struct hf_rollout_now *now);

/* A complete list of one kind replaces all objects of this kind that the engine has. Call _begin, pass in every object
 * of the list, then call _end. _end drops each object of the kind that did not come since _begin, and marks the kind as
 * complete. The engine plans no write before all three kinds are complete. */
enum hf_rollout_kind { HF_ROLLOUT_NODES, HF_ROLLOUT_EDGENODES, HF_ROLLOUT_UPDATES, HF_ROLLOUT_KINDS };
void hf_rollout_engine_list_begin(struct hf_rollout_engine *engine, enum hf_rollout_kind kind);
void hf_rollout_engine_list_end(struct hf_rollout_engine *engine, enum hf_rollout_kind kind,
                                const struct hf_rollout_now *now);

/* Records that the watch of a kind works, or is broken. While a watch is broken, the engine plans no write, because
 * every node would seem to be silent. hf_rollout_engine_list_end() also means that the watch of its kind works. */
void hf_rollout_engine_watch(struct hf_rollout_engine *engine, enum hf_rollout_kind kind, bool works);

/* Records that this process leads with this epoch (at least 1; it grows with each change of the leader), or does not
 * lead (epoch 0). A process that does not lead observes, and plans no write. */
void hf_rollout_engine_lead(struct hf_rollout_engine *engine, uint64_t epoch, const struct hf_rollout_now *now);

/* ---- effects ----------------------------------------------------------------------------------------------------- */

enum hf_rollout_effect_kind {
    HF_ROLLOUT_STATUS, /* apply `body` to the status of EdgeUpdate `name`, with force */
    HF_ROLLOUT_TURNS,  /* apply `body` to the spec of EdgeNode `name`, with force */
    /* apply `body`, which has the condition Ready=Unknown, to the status of EdgeNode `name`, with force */
    HF_ROLLOUT_SILENT,
    HF_ROLLOUT_COLLECT, /* read EdgeNode `name`, then delete it with the uid and resourceVersion from this read */
    HF_ROLLOUT_EVENT,   /* create a Kubernetes Event regarding EdgeUpdate `name`; needs no result */
};

/* All strings and `body` are valid until the next call of hf_rollout_engine_plan(). To keep `body` longer, take a
 * reference. */
struct hf_rollout_effect {
    enum hf_rollout_effect_kind kind;
    uint64_t id;        /* for hf_rollout_engine_result(); 0 for an Event */
    const char *name;   /* name of the object */
    const json_t *body; /* STATUS, TURNS, SILENT: object for a server-side apply, with metadata.resourceVersion */
    /* true for TURNS, and for a STATUS that agents, operators or the next leader need; false for other effects */
    bool is_urgent;
    const char *uid;    /* EVENT: uid of the EdgeUpdate */
    const char *reason; /* EVENT: CamelCase word, such as "StageAdmitted" */
    const char *note;   /* EVENT: a sentence for people, at most 1,000 bytes */
    bool is_warning;    /* EVENT: type Warning instead of Normal */
};

struct hf_rollout_plan {
    const struct hf_rollout_effect *effects;
    size_t n;
    /* ask again soon after each event, and at this time at the latest; HF_NEVER: ask only after an event */
    uint64_t next_mono_ns;
};

/* Decides what must be written now. One call plans at most 256 effects; later calls plan the others. If memory runs out
 * after the first effect, the call returns 0, and a later plan has the other effects. -ENOMEM: the plan has no write,
 * because memory ran out or because the engine waits for the outcome of 4,096 writes of EdgeNodes. Even then, perform
 * the plan, which may have Events, and ask again after a pause. */
HF_MUST_USE int hf_rollout_engine_plan(struct hf_rollout_engine *engine, const struct hf_rollout_now *now,
                                       struct hf_rollout_plan *ret_plan);

/* Reports the result of one write. Call it exactly once for each write, also after this process has ceased to lead.
 * `r`: 0 (written or deleted), -ESTALE (409 Conflict: the watch brings the newer object), -ENOENT (the object is gone;
 * only after COLLECT, the engine drops the EdgeNode before the watch says so), -EBADMSG or -EACCES (the server refuses
 * the write, for example by a policy; a repetition will not help), -ECANCELED (the caller did not send the write).
 * After any other value, the engine assumes that the server may have done the write, until the object shows its
 * outcome. A write of an EdgeNode that the engine does not repeat was not done if working watches do not show it
 * within a minute. `object` is the object in the server's answer, or NULL. Returns 0, or why the engine did not take
 * `object`, as hf_rollout_engine_take_update() and hf_rollout_engine_take_edgenode() do; after -ENOMEM, list the kind
 * again. The result counts all the same. */
int hf_rollout_engine_result(struct hf_rollout_engine *engine, uint64_t id, int r, const json_t *object,
                             const struct hf_rollout_now *now);

/* ---- for metrics, logs and benchmarks ---------------------------------------------------------------------------- */

struct hf_rollout_view {
    const char *name;    /* name of the EdgeUpdate */
    const char *release; /* release name; "" if the object is refused */
    const char *phase;   /* such as "WaveSoak"; "" without a strategy */
    const char *reason;  /* reason of the condition Ready that the engine last planned */
    unsigned wave;
    unsigned cutoff; /* admitted slots in basis points; 10000 without a strategy */
    struct hf_rollout_counts counts;
    unsigned turns; /* nodes that hold a turn of this release */
    bool halted;    /* halted by failures or by an operator */
    bool refused;
};
void hf_rollout_engine_each(const struct hf_rollout_engine *engine,
                            void (*visit)(void *arg, const struct hf_rollout_view *view), void *arg);

struct hf_rollout_fleet_view {
    size_t nodes;       /* Nodes */
    size_t edgenodes;   /* EdgeNodes */
    size_t silent;      /* silent EdgeNodes; counted only while this process leads */
    size_t orphans;     /* EdgeNodes without Node */
    size_t bytes;       /* memory of the nodes' records and labels, and of each rollout's arrays */
    uint64_t conflicts; /* writes that the API server refused because the object was newer */
};
void hf_rollout_engine_fleet(const struct hf_rollout_engine *engine, struct hf_rollout_fleet_view *ret_view);

/* If `allow` is true, later plans may delete EdgeNodes that have no Node, even if these are more than 30 % of all
 * EdgeNodes. Pass true only if an operator asked for this. */
void hf_rollout_engine_allow_collect(struct hf_rollout_engine *engine, bool allow);
