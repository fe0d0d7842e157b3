/* SPDX-License-Identifier: Apache-2.0 */
/* Connects the rollout engine (pkg/rollout) to the API server: objects in, plans out.
 *
 * Every replica follows EdgeUpdates, EdgeNodes and Nodes, so that a new leader knows the fleet at once. On the
 * leader, a timer asks the engine for a plan soon after a change, at least every TICK_NS, and rarely enough that
 * plans take a SHARE of the processor's time. Each effect of a plan becomes a write, and each write's result goes
 * back to the engine.
 *
 * Sight matters more than speed: while a watch is broken or a list incomplete, the engine is told so. Conflicts
 * without a word from a watch mean that the server continues from a restored backup, and all is listed again. Epochs
 * that no leader can have had are taken out of objects before the engine sees them. */
#include "controller/fleet/conductor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "controller/fleet/fleet_gauges.h"
#include "controller/fleet/recorder.h"
#include "controller/fleet/sight.h"
#include "controller/fleet/writer.h"
#include "web/metrics.h"

#define SOON_NS (20 * HF_NS_PER_MS)   /* so that events that come together make one plan */
#define APART_NS (100 * HF_NS_PER_MS) /* least time between two plans */
#define TICK_NS (10 * HF_NS_PER_S)    /* longest time between two looks at the clock, on every replica */
#define LIST_NS (60 * HF_NS_PER_S)    /* least time between two lists that only repeat what the engine lacks */
#define DEAF_NS (60 * HF_NS_PER_S)    /* time of conflicts without a word from a watch: the watches are deaf */
#define DEAF_AGAIN_NS (600 * HF_NS_PER_S)
#define SHARE 10 /* plans take at most a tenth of the processor's time */

struct follower {
    struct hf_conductor *conductor;
    enum hf_rollout_kind kind;
    struct hf_subscription *subscription;
    bool complete, proven; /* proven: the watch works */
    bool lacks;            /* the engine had no place for an object */
    bool wants_list;       /* a list may bring what the engine lacks */
    uint64_t list_ns;      /* no such list before this monotonic time */
    char trouble[200];     /* why it is not complete; "": no answer yet */
};

struct hf_conductor {
    struct hf_conductor_params p;
    const struct hf_source_ops *source;
    struct hf_rollout_engine *engine;
    struct hf_writer *writer;
    struct hf_recorder *recorder;
    struct hf_fleet_gauges *gauges;
    struct follower followers[HF_ROLLOUT_KINDS];
    struct hf_timer *timer;
    uint64_t armed_ns;      /* when the timer fires; HF_NEVER: it is not armed */
    uint64_t not_before_ns; /* no plan before this monotonic time */
    struct hf_sight sight;
    uint64_t date_unix_ns, date_mono_ns;   /* last Date of the server (0: none), and when it came */
    uint64_t conflict_ns;                  /* first conflict since a watch brought something; 0: none */
    uint64_t deaf_ns;                      /* no list because of conflicts before this monotonic time */
    uint64_t highest_epoch, refused_epoch; /* refused_epoch: the last one of which no leader can have had */
    struct hf_metric *plan_seconds;
    struct hf_metric_family *not_taken;
};

static const char *const kinds[HF_ROLLOUT_KINDS] = {
    [HF_ROLLOUT_NODES] = "Node", [HF_ROLLOUT_EDGENODES] = "EdgeNode", [HF_ROLLOUT_UPDATES] = "EdgeUpdate"};

/* ---- time -------------------------------------------------------------------------------------------------------- */

uint64_t hf_conductor_unix_ns(const struct hf_conductor *conductor)
{
    if (conductor->date_unix_ns == 0)
        return hf_unix_ns(conductor->p.env.world.clock);
    return conductor->date_unix_ns + (hf_mono_ns(conductor->p.env.world.clock) - conductor->date_mono_ns);
}

static struct hf_rollout_now look(struct hf_conductor *conductor)
{
    uint64_t now = hf_mono_ns(conductor->p.env.world.clock);

    return (struct hf_rollout_now){
        .mono_ns = now, .unix_ns = hf_conductor_unix_ns(conductor), .blind_ns = hf_sight_look(&conductor->sight, now)};
}

/* Call this function when a watch works or breaks, and when a list is complete. */
static void update_sight(struct hf_conductor *conductor)
{
    bool sees = true;

    for (int i = 0; i < HF_ROLLOUT_KINDS; i++)
        sees = sees && conductor->followers[i].complete && conductor->followers[i].proven;
    hf_sight_set(&conductor->sight, hf_mono_ns(conductor->p.env.world.clock), sees,
                 conductor->p.heard_ns(conductor->p.env.arg));
}

/* ---- plans ------------------------------------------------------------------------------------------------------- */

static void arm(struct hf_conductor *conductor, uint64_t at_ns)
{
    uint64_t now = hf_mono_ns(conductor->p.env.world.clock);

    at_ns = HF_MAX(at_ns, conductor->not_before_ns);
    if (at_ns >= conductor->armed_ns)
        return;
    conductor->armed_ns = at_ns;
    hf_timer_arm(conductor->p.env.world.sched, conductor->timer, at_ns > now ? at_ns - now : 0);
}

static void plan_soon(struct hf_conductor *conductor)
{
    arm(conductor, hf_mono_ns(conductor->p.env.world.clock) + SOON_NS);
}

static void perform(struct hf_conductor *conductor, const struct hf_rollout_effect *effect,
                    const struct hf_rollout_now *now)
{
    if (effect->kind == HF_ROLLOUT_EVENT) {
        const struct hf_recorder_event event = {.name = effect->name,
                                                .uid = effect->uid,
                                                .reason = effect->reason,
                                                .note = effect->note,
                                                .is_warning = effect->is_warning};
        hf_log(conductor->p.env.world.log, effect->is_warning ? HF_LOG_WARNING : HF_LOG_INFO, "rollout.event",
               HF_S("update", effect->name), HF_S("reason", effect->reason), HF_S("note", effect->note));
        hf_recorder_note(conductor->recorder, &event);
        return;
    }
    if (effect->kind == HF_ROLLOUT_COLLECT)
        hf_log(conductor->p.env.world.log, HF_LOG_INFO, "edgenode.collected", HF_S("node", effect->name));
    if (hf_writer_add(conductor->writer, effect) < 0)
        (void)hf_rollout_engine_result(conductor->engine, effect->id, -ENOMEM, NULL, now);
}

/* ---- objects that the engine lacks ------------------------------------------------------------------------------- */

/* Each complete list brings the object again, after which the engine may have a place or memory for it. */
static void note_lack(struct follower *follower, const json_t *object, int r)
{
    struct hf_conductor *conductor = follower->conductor;
    const char *name = hf_json_str_or(object, "metadata.name", "");

    hf_metric_add(hf_metric_with(conductor->not_taken, HF_LABELS(kinds[follower->kind])), 1);
    hf_log(conductor->p.env.world.log, HF_LOG_ERROR, "object.not_taken", HF_S("kind", kinds[follower->kind]),
           HF_S("name", name), HF_D("errno", -r));
    if (r == -EBADMSG) /* it has no name that a node could have */
        return;
    follower->subscription->source->decline(follower->subscription, name, true);
    follower->lacks = true;
    if (r == -E2BIG) /* until another object goes */
        return;
    uint64_t now = hf_mono_ns(conductor->p.env.world.clock);
    if (follower->list_ns <= now)
        follower->list_ns = now + LIST_NS;
    follower->wants_list = true;
}

static void list_lacking(struct hf_conductor *conductor, uint64_t now_ns)
{
    for (int i = 0; i < HF_ROLLOUT_KINDS; i++) {
        struct follower *follower = &conductor->followers[i];
        if (!follower->wants_list || now_ns < follower->list_ns)
            continue;
        follower->lacks = follower->wants_list = false;
        follower->list_ns = now_ns + LIST_NS;
        follower->subscription->source->relist(follower->subscription);
    }
}

/* ---- the plan ---------------------------------------------------------------------------------------------------- */

static void plan(void *arg)
{
    struct hf_conductor *conductor = arg;
    const struct hf_rollout_now now = look(conductor);
    struct hf_rollout_plan plan;

    conductor->armed_ns = HF_NEVER;
    list_lacking(conductor, now.mono_ns);
    if (!conductor->p.env.leads(conductor->p.env.arg)) {
        arm(conductor, now.mono_ns + TICK_NS);
        return;
    }
    hf_rollout_engine_allow_collect(conductor->engine, conductor->p.may_collect(conductor->p.env.arg));
    int r = hf_rollout_engine_plan(conductor->engine, &now, &plan);
    uint64_t took_ns = hf_mono_ns(conductor->p.env.world.clock) - now.mono_ns;
    hf_metric_observe(conductor->plan_seconds, (double)took_ns / (double)HF_NS_PER_S);
    conductor->not_before_ns = now.mono_ns + HF_MAX(APART_NS, SHARE * took_ns);
    if (r < 0)
        hf_log(conductor->p.env.world.log, HF_LOG_ERROR, "plan.incomplete", HF_D("errno", -r));
    /* A plan that is not complete has effects, too, and the engine waits for the result of each. */
    uint64_t next_ns = r < 0 ? now.mono_ns + HF_NS_PER_S : plan.next_mono_ns;
    for (size_t i = 0; i < plan.n; i++)
        perform(conductor, &plan.effects[i], &now);
    hf_writer_turn(conductor->writer);
    arm(conductor, HF_MIN(next_ns, now.mono_ns + TICK_NS));
}

static bool may_write(void *arg)
{
    const struct hf_conductor *conductor = arg;

    return conductor->p.env.leads(conductor->p.env.arg);
}

/* ---- epochs ------------------------------------------------------------------------------------------------------ */

/* Returns false if the object has an epoch that no leader can have had. */
static bool look_at_epoch(struct hf_conductor *conductor, const json_t *object, const char *path)
{
    int64_t epoch = hf_json_int_or(object, path, 0);

    if (epoch <= 0 || (uint64_t)epoch <= conductor->highest_epoch)
        return true;
    if (!conductor->p.saw_epoch(conductor->p.env.arg, (uint64_t)epoch)) {
        if ((uint64_t)epoch != conductor->refused_epoch)
            hf_log(conductor->p.env.world.log, HF_LOG_WARNING, "epoch.refused",
                   HF_S("name", hf_json_str_or(object, "metadata.name", "")), HF_D("epoch", epoch));
        conductor->refused_epoch = (uint64_t)epoch;
        return false;
    }
    conductor->highest_epoch = (uint64_t)epoch;
    return true;
}

/* Where no admission policy forbids it, somebody other than a leader may have written spec.epoch of an EdgeNode.
 * Returns the object without such an epoch, so that the engine writes its own one before it gives a turn; otherwise,
 * and if memory runs out, returns the object itself. */
static json_t *without_false_epoch(struct hf_conductor *conductor, const json_t *object)
{
    json_t *copy = look_at_epoch(conductor, object, "spec.epoch") ? NULL : json_deep_copy(object);

    if (copy != NULL)
        (void)json_object_del(json_object_get(copy, "spec"), "epoch");
    return copy != NULL ? copy : json_incref(hf_json_mutable(object));
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

/* A conflict means that the server has a newer object, which the watch soon brings. If no watch brings anything, the
 * server continues from a restored backup. The Lease shows this sooner, but it may be in another store, or not in
 * use. */
static void note_conflict(struct hf_conductor *conductor, uint64_t now_ns)
{
    if (conductor->conflict_ns == 0)
        conductor->conflict_ns = now_ns;
    if (now_ns < HF_MAX(conductor->conflict_ns + DEAF_NS, conductor->deaf_ns))
        return;
    conductor->deaf_ns = now_ns + DEAF_AGAIN_NS;
    hf_log(conductor->p.env.world.log, HF_LOG_WARNING, "watches.deaf");
    hf_kube_restored(conductor->p.env.kube);
}

static void written(void *arg, uint64_t id, int r, const json_t *object)
{
    struct hf_conductor *conductor = arg;
    const struct hf_rollout_now now = look(conductor);
    _cleanup_(hf_json_freep) json_t *taken = object != NULL ? without_false_epoch(conductor, object) : NULL;

    if (r == -ESTALE)
        note_conflict(conductor, now.mono_ns);
    int lost = hf_rollout_engine_result(conductor->engine, id, r, taken, &now);
    if (lost < 0) {
        bool is_update = strcmp(hf_json_str_or(taken, "kind", ""), "EdgeUpdate") == 0;
        note_lack(&conductor->followers[is_update ? HF_ROLLOUT_UPDATES : HF_ROLLOUT_EDGENODES], taken, lost);
    }
    plan_soon(conductor);
}

/* ---- objects ----------------------------------------------------------------------------------------------------- */

static void upsert(void *arg, json_t *object)
{
    struct follower *follower = arg;
    struct hf_conductor *conductor = follower->conductor;
    const struct hf_rollout_now now = look(conductor);
    _cleanup_(hf_json_freep) json_t *taken = NULL;
    int r = 0;

    conductor->conflict_ns = 0;
    switch (follower->kind) {
    case HF_ROLLOUT_NODES:
        r = hf_rollout_engine_take_node(conductor->engine, object, &now);
        hf_label_writer_take_node(conductor->p.labels, object);
        hf_node_binder_take_node(conductor->p.binder, object);
        hf_policy_writer_take_node(conductor->p.policies, object);
        break;
    case HF_ROLLOUT_EDGENODES:
        taken = without_false_epoch(conductor, object);
        r = hf_rollout_engine_take_edgenode(conductor->engine, taken, &now);
        hf_label_writer_take_edgenode(conductor->p.labels, object);
        hf_node_binder_take_edgenode(conductor->p.binder, object);
        hf_policy_writer_take_edgenode(conductor->p.policies, object);
        break;
    case HF_ROLLOUT_UPDATES:
        (void)look_at_epoch(conductor, object, "status.rollout.epoch");
        r = hf_rollout_engine_take_update(conductor->engine, object, &now);
        break;
    case HF_ROLLOUT_KINDS:
    default:
        break;
    }
    if (r < 0)
        note_lack(follower, object, r);
    plan_soon(conductor);
}

static void gone(void *arg, const char *name)
{
    struct follower *follower = arg;
    struct hf_conductor *conductor = follower->conductor;
    const struct hf_rollout_now now = look(conductor);

    conductor->conflict_ns = 0;
    if (follower->kind == HF_ROLLOUT_NODES) {
        hf_rollout_engine_drop_node(conductor->engine, name, &now);
        hf_label_writer_drop_node(conductor->p.labels, name);
        hf_node_binder_drop_node(conductor->p.binder, name);
        hf_policy_writer_drop_node(conductor->p.policies, name);
    } else if (follower->kind == HF_ROLLOUT_EDGENODES) {
        hf_rollout_engine_drop_edgenode(conductor->engine, name, &now);
        hf_label_writer_drop_edgenode(conductor->p.labels, name);
        hf_node_binder_drop_edgenode(conductor->p.binder, name);
        hf_policy_writer_drop_edgenode(conductor->p.policies, name);
    } else {
        hf_rollout_engine_drop_update(conductor->engine, name, &now);
    }
    follower->wants_list |= follower->lacks;
    plan_soon(conductor);
}

/* Only the first list begins with nothing: afterwards the source reports what is gone by itself. */
static void synced(void *arg, HF_UNUSED const char *resource_version)
{
    struct follower *follower = arg;
    struct hf_conductor *conductor = follower->conductor;
    const struct hf_rollout_now now = look(conductor);

    if (follower->complete)
        return;
    follower->complete = follower->proven = true;
    update_sight(conductor);
    hf_rollout_engine_list_end(conductor->engine, follower->kind, &now);
    hf_log(conductor->p.env.world.log, HF_LOG_INFO, "list.complete", HF_S("kind", kinds[follower->kind]));
    plan_soon(conductor);
}

static void contact(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err)
{
    struct follower *follower = arg;
    struct hf_conductor *conductor = follower->conductor;

    follower->proven = kind == HF_CONTACT_PROVEN;
    update_sight(conductor);
    hf_rollout_engine_watch(conductor->engine, follower->kind, follower->proven);
    if (kind == HF_CONTACT_PROVEN && date.unix_ns != 0) {
        conductor->date_unix_ns = date.unix_ns;
        conductor->date_mono_ns = hf_mono_ns(conductor->p.env.world.clock);
    }
    if (kind == HF_CONTACT_PROVEN)
        plan_soon(conductor);
    if (err != NULL && kind == HF_CONTACT_LOST) {
        (void)hf_err_text(err, follower->trouble, sizeof(follower->trouble));
        hf_log_err(conductor->p.env.world.log, HF_LOG_WARNING, "contact.lost", "kind", kinds[follower->kind], err);
    }
}

static void refused(void *arg, const char *what, const struct hf_err *err)
{
    struct follower *follower = arg;

    (void)hf_err_text(err, follower->trouble, sizeof(follower->trouble));
    hf_log_err(follower->conductor->p.env.world.log, HF_LOG_WARNING, "object.refused", "what", what, err);
}

static int follow(struct hf_conductor *conductor, enum hf_rollout_kind kind, struct hf_err *err)
{
    struct follower *follower = &conductor->followers[kind];
    const struct hf_source_sink sink = {
        .arg = follower, .upsert = upsert, .gone = gone, .synced = synced, .contact = contact, .refused = refused};

    follower->conductor = conductor;
    follower->kind = kind;
    hf_rollout_engine_list_begin(conductor->engine, kind);
    return conductor->source->subscribe(conductor->source->ctx, kinds[kind], NULL, "", NULL, &sink,
                                        &follower->subscription, err);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static int open_parts(struct hf_conductor *conductor, struct hf_err *err)
{
    static const double bounds[] = {0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5};
    const struct hf_leader_env *env = &conductor->p.env;
    struct hf_leader_env writer = *env;

    writer.leads = may_write;
    writer.arg = conductor;
    int r = hf_rollout_engine_new(&conductor->p.rollout, &conductor->engine);
    if (r == 0) {
        conductor->timer = hf_timer_new(env->world.sched, plan, conductor);
        conductor->writer = hf_writer_new(&writer, written);
        conductor->recorder = hf_recorder_new(env->kube, env->world.clock, env->world.metrics, conductor->p.identity);
        conductor->gauges = hf_fleet_gauges_new(env->world.metrics, conductor->engine, env->leads, env->arg);
        conductor->not_taken = hf_metric_family(
            env->world.metrics, HF_METRIC_COUNTER, "holdfast_controller_objects_not_taken_total",
            "Objects that the controller leaves out, such as EdgeUpdates beyond 500.", HF_LABELS("kind"));
        conductor->plan_seconds =
            hf_metric_histogram(env->world.metrics, "holdfast_controller_plan_seconds",
                                "Time that one decision for the whole fleet takes.", bounds, HF_LEN(bounds));
    }
    if (r < 0 || conductor->timer == NULL || conductor->writer == NULL || conductor->recorder == NULL ||
        conductor->gauges == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (enum hf_rollout_kind kind = 0; kind < HF_ROLLOUT_KINDS && r == 0; kind++)
        r = follow(conductor, kind, err);
    return r;
}

struct hf_conductor *hf_conductor_new(const struct hf_conductor_params *params, struct hf_err *err)
{
    struct hf_conductor *conductor = calloc(1, sizeof(*conductor));

    if (conductor == NULL) {
        (void)hf_err_set(err, ENOMEM, "out of memory");
        return NULL;
    }
    conductor->p = *params;
    conductor->source = hf_kube_source(params->env.kube);
    conductor->armed_ns = HF_NEVER;
    if (open_parts(conductor, err) < 0) {
        hf_conductor_free(conductor);
        return NULL;
    }
    return conductor;
}

void hf_conductor_free(struct hf_conductor *conductor)
{
    if (conductor == NULL)
        return;
    for (int i = 0; i < HF_ROLLOUT_KINDS; i++)
        hf_source_unsubscribe(conductor->followers[i].subscription);
    hf_writer_free(conductor->writer);
    hf_recorder_free(conductor->recorder);
    hf_timer_free(conductor->p.env.world.sched, conductor->timer);
    hf_fleet_gauges_free(conductor->gauges);
    hf_rollout_engine_free(conductor->engine);
    free(conductor);
}

void hf_conductor_lead(struct hf_conductor *conductor, uint64_t epoch)
{
    const struct hf_rollout_now now = look(conductor);

    hf_rollout_engine_lead(conductor->engine, epoch, &now);
    hf_writer_turn(conductor->writer); /* without the lead, all that waits gets its result */
    plan_soon(conductor);
}

bool hf_conductor_is_complete(const struct hf_conductor *conductor, char *reason, size_t n)
{
    for (int i = 0; i < HF_ROLLOUT_KINDS; i++) {
        const struct follower *follower = &conductor->followers[i];
        if (follower->complete)
            continue;
        (void)snprintf(reason, n, "the list of %ss is not complete: %s", kinds[i],
                       HF_CUT(180, follower->trouble[0] != '\0' ? follower->trouble : "no answer yet"));
        return false;
    }
    return true;
}

bool hf_conductor_is_idle(const struct hf_conductor *conductor)
{
    return hf_writer_is_idle(conductor->writer);
}
