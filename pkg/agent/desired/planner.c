/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/desired/planner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/counters.h"

_Static_assert(HF_PLAN_MAX >= (int)HF_OBJECTS_MAX, "a plan has room for every object that the node keeps");

int hf_planner_init(struct hf_planner *planner, const struct hf_agent_env *env)
{
    *planner = (struct hf_planner){.env = env, .plan = calloc(1, sizeof(*planner->plan))};
    hf_release_trust_init(&planner->trust, env);
    return planner->plan != NULL ? 0 : -ENOMEM;
}

void hf_planner_done(struct hf_planner *planner)
{
    hf_strmap_done(&planner->desired_names);
    hf_strmap_done(&planner->noted);
    hf_strmap_done(&planner->not_accepted);
    hf_release_trust_done(&planner->trust);
    free(planner->plan);
}

bool hf_planner_wants(const struct hf_planner *planner, const char *release_name)
{
    return hf_strmap_get(&planner->desired_names, release_name) != NULL;
}

/* ---- making the plan --------------------------------------------------------------------------------------------- */

struct facts {
    struct hf_update_engine *engine;
    struct hf_release_trust *trust;
    const struct hf_edgenode *edgenode;
};

struct begun_search {
    const char *release, *digest;
    bool found;
};

static void look_for_begun(void *arg, const struct hf_update_status *status)
{
    struct begun_search *search = arg;

    if (strcmp(status->name, search->release) != 0 || status->digest == NULL ||
        strcmp(status->digest, search->digest) != 0)
        return;
    search->found = status->phase != HF_PHASE_IDLE && status->phase != HF_PHASE_WAITING &&
                    status->phase != HF_PHASE_REJECTED && status->phase != HF_PHASE_INCOMPATIBLE;
}

static bool begun(void *arg, const char *release_name, const char *digest)
{
    const struct facts *facts = arg;
    struct begun_search search = {release_name, digest, false};

    hf_update_engine_each(facts->engine, look_for_begun, &search);
    return search.found;
}

static bool accepts(void *arg, const struct hf_edgeupdate *update)
{
    const struct facts *facts = arg;

    return hf_release_trust_accepts(facts->trust, update);
}

static bool has_turn(void *arg, const char *release_name, const char *digest)
{
    const struct facts *facts = arg;

    return hf_edgenode_has_turn(facts->edgenode, release_name, digest);
}

static void make_plan(struct hf_planner *planner, const struct hf_planner_input *input, struct hf_update_engine *engine,
                      struct hf_edgeupdate **all)
{
    size_t n = 0;

    for (size_t i = 0; i < input->updates->by_name.n; i++) {
        const struct hf_object *object = input->updates->by_name.entries[i].value;
        if (object->decoded != NULL)
            all[n++] = object->decoded;
    }
    struct facts facts = {engine, &planner->trust, input->edgenode};
    struct hf_plan_params params = {.updates = all,
                                    .n = n,
                                    .node_name = planner->env->params->node_name,
                                    .node_labels = input->labels,
                                    .staleness = input->staleness,
                                    .on_expiry = input->policy->on_expiry,
                                    .held = input->held,
                                    .writes_used_up = input->writes_used_up,
                                    .link = input->link,
                                    .images_ready = input->images_ready,
                                    .begun = begun,
                                    .has_turn = has_turn,
                                    .accepts = accepts,
                                    .arg = &facts};
    hf_release_trust_begin(&planner->trust);
    hf_plan_make(&params, planner->plan);
    hf_release_trust_end(&planner->trust);
}

/* ---- reporting it ------------------------------------------------------------------------------------------------ */

static void list_notes(const struct hf_plan *plan, enum hf_plan_why why, char text[HF_READINESS_NAMES])
{
    struct hf_readiness_names names = {.n = 0};

    for (size_t i = 0; i < plan->n_notes; i++)
        if (plan->notes[i].why == why)
            hf_readiness_names_add(&names, plan->notes[i].update->meta.name);
    (void)snprintf(text, HF_READINESS_NAMES, "%s", hf_readiness_names_text(&names));
}

static void list_not_accepted(struct hf_planner *planner)
{
    const struct hf_plan *plan = planner->plan;

    hf_strmap_done(&planner->not_accepted);
    for (size_t i = 0; i < plan->n_notes; i++)
        if (plan->notes[i].why == HF_PLAN_NOT_ACCEPTED)
            (void)!hf_strmap_put(&planner->not_accepted, plan->notes[i].update->meta.name, planner);
}

void hf_planner_each_not_accepted(const struct hf_planner *planner,
                                  void (*visit)(void *arg, const char *name, const char *why), void *arg)
{
    for (size_t i = 0; i < planner->not_accepted.n; i++) {
        const char *name = planner->not_accepted.entries[i].key, *why = hf_release_trust_why(&planner->trust, name);
        visit(arg, name, why != NULL ? why : "the node cannot check the signatures now");
    }
}

static void log_note(struct hf_log *log, const struct hf_plan_note *note)
{
    const char *update = note->update->meta.name, *release = note->update->release.name;
    const char *by = note->chosen->meta.name;

    if (note->why == HF_PLAN_NOT_ACCEPTED)
        hf_log(log, HF_LOG_WARNING, "update.not_accepted", HF_S("update", update), HF_S("release", release),
               HF_S("by", by));
    else
        hf_log(log, HF_LOG_INFO, note->why == HF_PLAN_SUPERSEDED ? "update.superseded" : "update.not_admitted",
               HF_S("update", update), HF_S("release", release), HF_S("by", by));
}

/* Logs each object that gives way to another one, once until that changes. */
static void log_notes(struct hf_planner *planner)
{
    const struct hf_plan *plan = planner->plan;
    struct hf_strmap noted = {0};

    for (size_t i = 0; i < plan->n_notes; i++) {
        const struct hf_plan_note *note = &plan->notes[i];
        char key[HF_API_MAX_NAME * 2 + 2];
        (void)snprintf(key, sizeof(key), "%s/%s", note->update->meta.name, note->chosen->meta.name);
        if (hf_strmap_put(&noted, key, planner) < 0 || hf_strmap_get(&planner->noted, key) != NULL)
            continue;
        log_note(planner->env->world.log, note);
    }
    hf_strmap_done(&planner->noted);
    planner->noted = noted;
}

/* Keeps the failure for the status. Logs it once until it changes. */
static void note_failure(struct hf_planner *planner, int r, const struct hf_err *err)
{
    char before[sizeof(planner->failure)];

    memcpy(before, planner->failure, sizeof(before));
    planner->failure[0] = '\0';
    if (planner->plan->n_ignored > 0)
        (void)snprintf(planner->failure, sizeof(planner->failure),
                       "this node ignores %zu EdgeUpdates that select it: the limit is %d; delete old ones",
                       planner->plan->n_ignored, HF_PLAN_MAX);
    else if (r < 0)
        (void)snprintf(planner->failure, sizeof(planner->failure), "%.*s", (int)sizeof(planner->failure) - 1,
                       HF_ERR_TEXT(err));
    if (planner->failure[0] != '\0' && strcmp(before, planner->failure) != 0)
        hf_log(planner->env->world.log, HF_LOG_ERROR, "plan.failed", HF_S("node", planner->env->params->node_name),
               HF_S("error", planner->failure));
}

void hf_planner_run(struct hf_planner *planner, const struct hf_planner_input *input, struct hf_update_engine *engine)
{
    const struct hf_plan *plan = planner->plan;
    _cleanup_(hf_freep) struct hf_edgeupdate **all =
        calloc(input->updates->by_name.n + 1, sizeof(struct hf_edgeupdate *));
    struct hf_err err = HF_ERR_INIT;
    int r = 0;

    if (all == NULL)
        return;
    make_plan(planner, input, engine, all);
    log_notes(planner);
    list_notes(plan, HF_PLAN_SUPERSEDED, planner->superseded);
    list_notes(plan, HF_PLAN_NOT_ADMITTED_YET, planner->not_admitted);
    list_not_accepted(planner);
    hf_strmap_done(&planner->desired_names);
    for (size_t i = 0; i < plan->n && r == 0; i++)
        r = hf_strmap_put(&planner->desired_names, plan->desired[i].update->release.name, planner);
    if (r == 0)
        r = hf_update_engine_set(engine, plan->desired, plan->n, &err);
    note_failure(planner, r, &err);
    hf_metric_add(planner->env->counters->plans, 1);
}
