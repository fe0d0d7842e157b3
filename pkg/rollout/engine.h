/* SPDX-License-Identifier: Apache-2.0 */
/* Decides for a whole fleet when each node may update, and the status of each EdgeUpdate and each silent EdgeNode. Uses
 * no clock, network or file, except zoneinfo files.
 *
 * The caller passes in all Nodes, EdgeNodes and EdgeUpdates, and whether it leads. It performs a plan's writes in any
 * order, and reports each result; until then that write is not planned again.
 *
 *     hf_rollout_engine_take_update(engine, json, &now);
 *     hf_rollout_engine_plan(engine, &now, &plan);
 *     for each plan.effects[i]: send it, later hf_rollout_engine_result(engine, plan.effects[i].id, 0, object, &now)
 *
 * Every body has the resourceVersion that it was decided on, so the server refuses a slow former leader. A new leader
 * first writes its epoch into each EdgeUpdate with a strategy. Copies Nodes and EdgeNodes. After -ENOMEM for an object,
 * list its kind again (hf_rollout_engine_list_begin()): a watch does not repeat objects. */
#pragma once

#include "api/edgeupdate.h"
#include "rollout/counts.h"

enum { HF_ROLLOUT_MAX_UPDATES = 500 };

struct hf_rollout_engine;

struct hf_rollout_now {
    uint64_t mono_ns; /* such as CLOCK_BOOTTIME */
    /* the API server's time, as an estimate */
    uint64_t unix_ns;
    /* part of mono_ns without contact to the nodes: makes no node silent; while it grows, no stage soaks or waits */
    uint64_t blind_ns;
};

struct hf_rollout_params {
    uint64_t collect_after_ns; /* time until an EdgeNode without a Node is deleted; 0: 24 h */
    unsigned silent_per_s;     /* EdgeNodes marked as silent per second; 0: 20 */
    unsigned turns_per_s;      /* writes of EdgeNode.spec per second; 0: 50 */
    bool keep_silent_nodes;
};

HF_MUST_USE int hf_rollout_engine_new(const struct hf_rollout_params *params, struct hf_rollout_engine **ret_engine);
void hf_rollout_engine_free(struct hf_rollout_engine *engine);
HF_DEFINE_CLEANUP(struct hf_rollout_engine, hf_rollout_engine_free)

/* ---- events ------------------------------------------------------------------------------------------------------ */

/* Takes a new or changed Node, of which it needs only metadata.name and labels. -EBADMSG: no valid name. -E2BIG: more
 * than HF_FLEET_MAX. */
HF_MUST_USE int hf_rollout_engine_take_node(struct hf_rollout_engine *engine, const json_t *node,
                                            const struct hf_rollout_now *now);
void hf_rollout_engine_drop_node(struct hf_rollout_engine *engine, const char *name, const struct hf_rollout_now *now);

/* EdgeNodes come in order; a version that the answer to a write has overtaken changes nothing. A resourceVersion that
 * went back is from a restored backup: it is taken, and earlier writes are forgotten. Only a higher status.sequence
 * counts as a report; sequences that grow from a lower one mean a lost state folder, and count again. */
HF_MUST_USE int hf_rollout_engine_take_edgenode(struct hf_rollout_engine *engine, const json_t *edgenode,
                                                const struct hf_rollout_now *now);
void hf_rollout_engine_drop_edgenode(struct hf_rollout_engine *engine, const char *name,
                                     const struct hf_rollout_now *now);

/* Keeps a reference. Returns 0 even if pkg/api refuses the object, which gets ObjectRefused. -EBADMSG: no valid name.
 * -E2BIG: more than HF_ROLLOUT_MAX_UPDATES. */
HF_MUST_USE int hf_rollout_engine_take_update(struct hf_rollout_engine *engine, json_t *update,
                                              const struct hf_rollout_now *now);
void hf_rollout_engine_drop_update(struct hf_rollout_engine *engine, const char *name,
                                   const struct hf_rollout_now *now);

/* A complete list: _begin(), every object, _end(), which drops the objects that did not come. Writes need a list of all
 * three kinds. */
enum hf_rollout_kind { HF_ROLLOUT_NODES, HF_ROLLOUT_EDGENODES, HF_ROLLOUT_UPDATES, HF_ROLLOUT_KINDS };
void hf_rollout_engine_list_begin(struct hf_rollout_engine *engine, enum hf_rollout_kind kind);
void hf_rollout_engine_list_end(struct hf_rollout_engine *engine, enum hf_rollout_kind kind,
                                const struct hf_rollout_now *now);

/* `works`: whether the watch of a kind works. After false no write is planned until true or _list_end(). */
void hf_rollout_engine_watch(struct hf_rollout_engine *engine, enum hf_rollout_kind kind, bool works);

/* `epoch` grows from 1 with each leader; 0: only observe. */
void hf_rollout_engine_lead(struct hf_rollout_engine *engine, uint64_t epoch, const struct hf_rollout_now *now);

/* ---- effects ----------------------------------------------------------------------------------------------------- */

enum hf_rollout_effect_kind {
    HF_ROLLOUT_STATUS,  /* replace the status of an EdgeUpdate */
    HF_ROLLOUT_TURNS,   /* replace the spec of an EdgeNode */
    HF_ROLLOUT_SILENT,  /* apply Ready=Unknown to the status of an EdgeNode, with force */
    HF_ROLLOUT_COLLECT, /* read the EdgeNode, then delete it with the uid and resourceVersion read */
    HF_ROLLOUT_EVENT,   /* create an Event on an EdgeUpdate; no result */
};

/* Valid until the next plan; a reference can keep `body` longer. */
struct hf_rollout_effect {
    enum hf_rollout_effect_kind kind;
    uint64_t id; /* 0 for an Event */
    const char *name;
    const json_t *body;
    bool is_urgent;     /* TURNS, or a STATUS for agents, operators or the next leader */
    const char *uid;    /* EVENT: uid of the EdgeUpdate */
    const char *reason; /* EVENT: such as "StageAdmitted" */
    const char *note;   /* EVENT: a sentence, at most 1,000 bytes */
    bool is_warning;
};

struct hf_rollout_plan {
    const struct hf_rollout_effect *effects;
    size_t n;
    uint64_t next_mono_ns; /* plan again after events, or then */
};

/* Plans at most 256 effects; the next call has more. -ENOMEM (also with 4,096 unsettled writes of EdgeNodes): the plan
 * has only Events; plan again later. */
HF_MUST_USE int hf_rollout_engine_plan(struct hf_rollout_engine *engine, const struct hf_rollout_now *now,
                                       struct hf_rollout_plan *ret_plan);

/* Called once for each write, even when no longer leading. `r`: 0; -ESTALE (409 Conflict); -ENOENT (gone); -EBADMSG,
 * -EACCES (refused: planned again after a minute, or for a new version); -ECANCELED (not sent). Another error leaves
 * a STATUS or TURNS in doubt until the object shows it; for TURNS the doubt also ends if working watches show
 * nothing for a minute. `object`: from the server, or NULL. Returns 0, or why `object` was not taken; the result counts
 * anyway. */
int hf_rollout_engine_result(struct hf_rollout_engine *engine, uint64_t id, int r, const json_t *object,
                             const struct hf_rollout_now *now);

/* ---- views ------------------------------------------------------------------------------------------------------- */

struct hf_rollout_view {
    const char *name;
    const char *release; /* "" if refused */
    const char *phase;   /* such as "WaveSoak"; "" without a strategy */
    const char *reason;  /* reason of Ready, as planned */
    unsigned wave;
    unsigned cutoff; /* slots admitted, of 10000: 0 while halted, 10000 without a strategy */
    struct hf_rollout_counts counts;
    unsigned turns;
    bool halted;
    bool refused;
};
void hf_rollout_engine_each(const struct hf_rollout_engine *engine,
                            void (*visit)(void *arg, const struct hf_rollout_view *view), void *arg);

struct hf_rollout_fleet_view {
    size_t nodes;
    size_t edgenodes;
    size_t silent;  /* counted only if leading */
    size_t orphans; /* EdgeNodes without a Node */
    size_t bytes;
    uint64_t conflicts; /* writes that met a newer object */
};
void hf_rollout_engine_fleet(const struct hf_rollout_engine *engine, struct hf_rollout_fleet_view *ret_view);

/* On an operator's request only: deletes EdgeNodes without Nodes even beyond 30 % of all. */
void hf_rollout_engine_allow_collect(struct hf_rollout_engine *engine, bool allow);
