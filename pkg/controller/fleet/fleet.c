#include "controller/fleet/fleet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/fleet/gauges.h"
#include "controller/fleet/recorder.h"
#include "controller/fleet/writer.h"
#include "web/metrics.h"

#define SOON_NS (20 * HF_NS_PER_MS)   /* so that events that come together make one plan */
#define APART_NS (100 * HF_NS_PER_MS) /* least time between two plans */
#define SHARE 10                      /* plans take at most a tenth of the processor's time */

struct follower {
    struct hf_fleet *fleet;
    enum hf_rollout_kind kind;
    struct hf_subscription *subscription;
    bool complete;
    char trouble[200]; /* why it is not complete; "": no answer yet */
};

struct hf_fleet {
    struct hf_fleet_params p;
    const struct hf_source_ops *source;
    struct hf_rollout_engine *engine;
    struct hf_writer *writer;
    struct hf_recorder *recorder;
    struct hf_gauges *gauges;
    struct follower followers[HF_ROLLOUT_KINDS];
    struct hf_timer *timer;
    uint64_t armed_ns;                   /* when the timer fires; HF_NEVER: it is not armed */
    uint64_t not_before_ns;              /* no plan before this monotonic time */
    uint64_t date_unix_ns, date_mono_ns; /* last Date of the server (0: none), and when it came */
    uint64_t highest_epoch;
    struct hf_metric *plan_seconds;
};

static const char *const kinds[HF_ROLLOUT_KINDS] = {
    [HF_ROLLOUT_NODES] = "Node", [HF_ROLLOUT_EDGENODES] = "EdgeNode", [HF_ROLLOUT_UPDATES] = "EdgeUpdate"};

/* ---- time -------------------------------------------------------------------------------------------------------- */

uint64_t hf_fleet_unix_ns(const struct hf_fleet *fleet)
{
    if (fleet->date_unix_ns == 0)
        return hf_unix_ns(fleet->p.clock);
    return fleet->date_unix_ns + (hf_mono_ns(fleet->p.clock) - fleet->date_mono_ns);
}

static struct hf_rollout_now now_of(const struct hf_fleet *fleet)
{
    return (struct hf_rollout_now){.mono_ns = hf_mono_ns(fleet->p.clock), .unix_ns = hf_fleet_unix_ns(fleet)};
}

/* ---- plans ------------------------------------------------------------------------------------------------------- */

static void arm(struct hf_fleet *fleet, uint64_t at_ns)
{
    const struct hf_sched_ops *sched = fleet->p.sched;
    uint64_t now = hf_mono_ns(fleet->p.clock);

    at_ns = HF_MAX(at_ns, fleet->not_before_ns);
    if (at_ns >= fleet->armed_ns)
        return;
    fleet->armed_ns = at_ns;
    sched->timer_arm(sched->ctx, fleet->timer, at_ns > now ? at_ns - now : 0);
}

static void plan_soon(struct hf_fleet *fleet)
{
    arm(fleet, hf_mono_ns(fleet->p.clock) + SOON_NS);
}

static void perform(struct hf_fleet *fleet, const struct hf_rollout_effect *effect, const struct hf_rollout_now *now)
{
    if (effect->kind == HF_ROLLOUT_EVENT) {
        const struct hf_recorder_event event = {.name = effect->name,
                                                .uid = effect->uid,
                                                .reason = effect->reason,
                                                .note = effect->note,
                                                .is_warning = effect->is_warning};
        hf_log(fleet->p.log, effect->is_warning ? HF_LOG_WARNING : HF_LOG_INFO, "rollout.event",
               HF_S("update", effect->name), HF_S("reason", effect->reason), HF_S("note", effect->note));
        hf_recorder_note(fleet->recorder, &event);
        return;
    }
    if (effect->kind == HF_ROLLOUT_COLLECT)
        hf_log(fleet->p.log, HF_LOG_INFO, "edgenode.collected", HF_S("node", effect->name));
    if (hf_writer_add(fleet->writer, effect) < 0)
        hf_rollout_engine_result(fleet->engine, effect->id, -ENOMEM, NULL, now);
}

static void plan(void *arg)
{
    struct hf_fleet *fleet = arg;
    const struct hf_rollout_now now = now_of(fleet);
    struct hf_rollout_plan plan;

    fleet->armed_ns = HF_NEVER;
    if (!fleet->p.leads(fleet->p.arg))
        return;
    hf_rollout_engine_allow_collect(fleet->engine, fleet->p.may_collect(fleet->p.arg));
    int r = hf_rollout_engine_plan(fleet->engine, &now, &plan);
    uint64_t took_ns = hf_mono_ns(fleet->p.clock) - now.mono_ns;
    hf_metric_observe(fleet->plan_seconds, (double)took_ns / (double)HF_NS_PER_S);
    fleet->not_before_ns = now.mono_ns + HF_MAX(APART_NS, SHARE * took_ns);
    if (r < 0) {
        arm(fleet, now.mono_ns + HF_NS_PER_S);
        return;
    }
    uint64_t next_ns = plan.next_mono_ns;
    for (size_t i = 0; i < plan.n; i++)
        perform(fleet, &plan.effects[i], &now);
    hf_writer_turn(fleet->writer);
    if (next_ns != HF_NEVER)
        arm(fleet, next_ns);
}

static void written(void *arg, uint64_t id, int r, const json_t *object)
{
    struct hf_fleet *fleet = arg;
    const struct hf_rollout_now now = now_of(fleet);

    hf_rollout_engine_result(fleet->engine, id, r, object, &now);
    plan_soon(fleet);
}

/* ---- objects ----------------------------------------------------------------------------------------------------- */

static void look_at_epoch(struct hf_fleet *fleet, const json_t *object, const char *path)
{
    int64_t epoch = hf_json_int_or(object, path, 0);

    if (epoch <= 0 || (uint64_t)epoch <= fleet->highest_epoch)
        return;
    fleet->highest_epoch = (uint64_t)epoch;
    fleet->p.saw_epoch(fleet->p.arg, fleet->highest_epoch);
}

static void upsert(void *arg, json_t *object)
{
    const struct follower *follower = arg;
    struct hf_fleet *fleet = follower->fleet;
    const struct hf_rollout_now now = now_of(fleet);
    int r = 0;

    switch (follower->kind) {
    case HF_ROLLOUT_NODES:
        r = hf_rollout_engine_take_node(fleet->engine, object, &now);
        break;
    case HF_ROLLOUT_EDGENODES:
        look_at_epoch(fleet, object, "spec.epoch");
        r = hf_rollout_engine_take_edgenode(fleet->engine, object, &now);
        break;
    case HF_ROLLOUT_UPDATES:
        look_at_epoch(fleet, object, "status.rollout.epoch");
        r = hf_rollout_engine_take_update(fleet->engine, object, &now);
        break;
    case HF_ROLLOUT_KINDS:
    default:
        break;
    }
    if (r < 0)
        hf_log(fleet->p.log, HF_LOG_ERROR, "object.not_taken", HF_S("kind", kinds[follower->kind]),
               HF_S("name", hf_json_str_or(object, "metadata.name", "")), HF_D("errno", -r));
    plan_soon(fleet);
}

static void gone(void *arg, const char *name)
{
    const struct follower *follower = arg;
    struct hf_fleet *fleet = follower->fleet;
    const struct hf_rollout_now now = now_of(fleet);

    if (follower->kind == HF_ROLLOUT_NODES)
        hf_rollout_engine_drop_node(fleet->engine, name, &now);
    else if (follower->kind == HF_ROLLOUT_EDGENODES)
        hf_rollout_engine_drop_edgenode(fleet->engine, name, &now);
    else
        hf_rollout_engine_drop_update(fleet->engine, name, &now);
    plan_soon(fleet);
}

/* Only the first list begins with nothing: afterwards the source reports what is gone by itself. */
static void synced(void *arg, const char *resource_version)
{
    struct follower *follower = arg;
    struct hf_fleet *fleet = follower->fleet;
    const struct hf_rollout_now now = now_of(fleet);

    (void)resource_version;
    if (follower->complete)
        return;
    follower->complete = true;
    hf_rollout_engine_list_end(fleet->engine, follower->kind, &now);
    hf_log(fleet->p.log, HF_LOG_INFO, "list.complete", HF_S("kind", kinds[follower->kind]));
    plan_soon(fleet);
}

static void contact(void *arg, enum hf_contact_kind kind, uint64_t date_unix_ns, const struct hf_err *err)
{
    struct follower *follower = arg;
    struct hf_fleet *fleet = follower->fleet;

    if (kind == HF_CONTACT_PROVEN && date_unix_ns != 0) {
        fleet->date_unix_ns = date_unix_ns;
        fleet->date_mono_ns = hf_mono_ns(fleet->p.clock);
    }
    if (err != NULL && kind == HF_CONTACT_LOST) {
        (void)hf_err_text(err, follower->trouble, sizeof(follower->trouble));
        hf_log_err(fleet->p.log, HF_LOG_WARNING, "contact.lost", "kind", kinds[follower->kind], err);
    }
}

static void refused(void *arg, const char *what, const struct hf_err *err)
{
    struct follower *follower = arg;

    (void)hf_err_text(err, follower->trouble, sizeof(follower->trouble));
    hf_log_err(follower->fleet->p.log, HF_LOG_WARNING, "object.refused", "what", what, err);
}

static int follow(struct hf_fleet *fleet, enum hf_rollout_kind kind, struct hf_err *err)
{
    struct follower *follower = &fleet->followers[kind];
    const struct hf_source_sink sink = {
        .arg = follower, .upsert = upsert, .gone = gone, .synced = synced, .contact = contact, .refused = refused};

    follower->fleet = fleet;
    follower->kind = kind;
    hf_rollout_engine_list_begin(fleet->engine, kind);
    return fleet->source->subscribe(fleet->source->ctx, kinds[kind], NULL, "", NULL, &sink, &follower->subscription,
                                    err);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static int open_parts(struct hf_fleet *fleet, struct hf_err *err)
{
    static const double bounds[] = {0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5};
    const struct hf_fleet_params *p = &fleet->p;
    const struct hf_writer_params writer = {.kube = p->kube,
                                            .sched = p->sched,
                                            .clock = p->clock,
                                            .log = p->log,
                                            .metrics = p->metrics,
                                            .may_write = p->leads,
                                            .result = written,
                                            .arg = fleet};

    int r = hf_rollout_engine_new(&p->rollout, &fleet->engine);
    if (r == 0) {
        fleet->timer = p->sched->timer_new(p->sched->ctx, plan, fleet);
        fleet->writer = hf_writer_new(&writer);
        fleet->recorder = hf_recorder_new(p->kube, p->clock, p->metrics, p->identity);
        fleet->gauges = hf_gauges_new(p->metrics, fleet->engine, p->leads, p->arg);
        fleet->plan_seconds =
            hf_metric_histogram(p->metrics, "holdfast_controller_plan_seconds",
                                "Time that one decision for the whole fleet takes.", bounds, HF_LEN(bounds));
    }
    if (r < 0 || fleet->timer == NULL || fleet->writer == NULL || fleet->recorder == NULL || fleet->gauges == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (enum hf_rollout_kind kind = 0; kind < HF_ROLLOUT_KINDS && r == 0; kind++)
        r = follow(fleet, kind, err);
    return r;
}

struct hf_fleet *hf_fleet_new(const struct hf_fleet_params *params, struct hf_err *err)
{
    struct hf_fleet *fleet = calloc(1, sizeof(*fleet));

    if (fleet == NULL) {
        (void)hf_err_set(err, ENOMEM, "out of memory");
        return NULL;
    }
    fleet->p = *params;
    fleet->source = hf_kube_source(params->kube);
    fleet->armed_ns = HF_NEVER;
    if (open_parts(fleet, err) < 0) {
        hf_fleet_free(fleet);
        return NULL;
    }
    return fleet;
}

void hf_fleet_free(struct hf_fleet *fleet)
{
    if (fleet == NULL)
        return;
    for (int i = 0; i < HF_ROLLOUT_KINDS; i++)
        fleet->source->unsubscribe(fleet->source->ctx, fleet->followers[i].subscription);
    hf_writer_free(fleet->writer);
    hf_recorder_free(fleet->recorder);
    if (fleet->timer != NULL)
        fleet->p.sched->timer_free(fleet->p.sched->ctx, fleet->timer);
    hf_gauges_free(fleet->gauges);
    hf_rollout_engine_free(fleet->engine);
    free(fleet);
}

void hf_fleet_lead(struct hf_fleet *fleet, uint64_t epoch)
{
    const struct hf_rollout_now now = now_of(fleet);

    hf_rollout_engine_lead(fleet->engine, epoch, &now);
    hf_writer_turn(fleet->writer); /* without the lead, all that waits gets its result */
    plan_soon(fleet);
}

bool hf_fleet_is_complete(const struct hf_fleet *fleet, char *reason, size_t n)
{
    for (int i = 0; i < HF_ROLLOUT_KINDS; i++) {
        const struct follower *follower = &fleet->followers[i];
        if (follower->complete)
            continue;
        (void)snprintf(reason, n, "the list of %ss is not complete: %.180s", kinds[i],
                       follower->trouble[0] != '\0' ? follower->trouble : "no answer yet");
        return false;
    }
    return true;
}

bool hf_fleet_is_idle(const struct hf_fleet *fleet)
{
    return hf_writer_is_idle(fleet->writer);
}
