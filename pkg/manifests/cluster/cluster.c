/* SPDX-License-Identifier: Apache-2.0 */
/* The two kinds of runs: apply (parse, discover, journal, apply, prune) and check.
 *
 * The inventory is a JSON array of the entry's objects in order of application:
 *   {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "site", "name": "web", "resource": "deployments",
 *    "uid": "...", "fields": "<hash of the fields that we own>"}
 * without `namespace` if cluster-scoped, without `uid` and `fields` until applied. A field that somebody else changes
 * is no longer ours for the API server, so the hash shows drift. */
#include "manifests/cluster/cluster.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manifests/cluster/apply.h"
#include "manifests/cluster/health.h"
#include "manifests/cluster/prune.h"
#include "manifests/cluster/run.h"

/* Ends the run and returns true if no API server can take part. */
static bool is_unsupported(struct hf_cluster_run *run)
{
    const char *why = NULL;

    if (run->env->kube == NULL)
        why = "the target Cluster needs an API server, and this agent reads its objects from a folder";
    else if (hf_kube_is_metaserver(run->env->kube))
        why = "the target Cluster needs an API server: behind KubeEdge's MetaServer objects may be old, and every node "
              "writes as CloudCore; choose StaticPods or Files, or apply the objects in the cloud";
    if (why != NULL)
        hf_cluster_run_end(run, -EOPNOTSUPP, HF_MANIFEST_REASON_UNSUPPORTED, why);
    return why != NULL;
}

/* Ends the run because of an answer that concerns it as a whole. */
static void end_by(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    struct hf_cluster_refusal refusal = hf_cluster_refusal_of(answer);

    run->outcome.answered = true;
    hf_cluster_run_end(run, refusal.sense == HF_CLUSTER_AGAIN ? -EAGAIN : -EPERM, refusal.reason, refusal.why);
}

/* ---- apply: before the first object ------------------------------------------------------------------------------ */

static const char *resource_of(void *arg, const struct hf_cluster_object *object)
{
    const struct hf_cluster_run *run = arg;
    const struct hf_cluster_kind *kind = hf_cluster_kinds_find(&run->kinds, &object->id);

    return kind != NULL ? kind->plural : NULL;
}

/* Counts the objects whose kind nobody knows, and gives the others their scope. */
static int scope_all(struct hf_cluster_run *run)
{
    char why[HF_CLUSTER_WHY];
    int r = 0;

    for (size_t i = 0; r == 0 && i < run->set.n; i++) {
        struct hf_cluster_object *object = &run->set.objects[i];
        const struct hf_cluster_kind *kind = hf_cluster_kinds_find(&run->kinds, &object->id);
        if (kind != NULL) {
            r = hf_cluster_set_scope(object, kind->namespaced);
            continue;
        }
        (void)snprintf(why, sizeof(why),
                       "the API server has no kind %.63s in %.100s: apply its CustomResourceDefinition first",
                       object->id.kind, object->id.api_version);
        hf_cluster_run_turn_to(run, object, NULL, NULL);
        hf_cluster_run_fail(run, HF_MANIFEST_REASON_API_REFUSED, why);
    }
    return r;
}

static void go_on(struct hf_cluster_run *run)
{
    hf_cluster_apply_all(run, hf_cluster_prune_all);
}

static void give_up(struct hf_cluster_run *run)
{
    hf_cluster_run_end(run, -EAGAIN, HF_MANIFEST_REASON_WRITE_FAILED,
                       "cannot write the inventory to disk, so no object is applied");
}

static void find_no_room(struct hf_cluster_run *run)
{
    json_decref(run->inventory); /* the caller keeps the one that it has: no record can hold this one */
    run->inventory = NULL;
    hf_cluster_run_end(run, -E2BIG, HF_MANIFEST_REASON_SOURCE_TOO_LARGE,
                       "the inventory of these objects and of those in place is too large, so no object is applied");
}

void hf_cluster_run_journaled(struct hf_cluster_run *run, int r)
{
    hf_cluster_run_later(run, 0, r == 0 ? go_on : r == -E2BIG ? find_no_room : give_up);
}

/* True if the inventory on disk has every object that the run may create: the first apply of each comes after it. */
static bool is_on_disk(const struct hf_cluster_run *run, const json_t *all)
{
    bool is = run->keep;

    for (size_t i = 0; is && i < run->set.n; i++) {
        int at = hf_cluster_item_find(all, &run->set.objects[i].id);
        is = at < 0 || hf_cluster_item_is_applied(json_array_get(all, (size_t)at));
    }
    return is;
}

static void write_all(struct hf_cluster_run *run)
{
    struct hf_err err = HF_ERR_INIT;
    json_t *all = NULL;
    int r = scope_all(run);

    if (r == 0 && hf_cluster_set_check_unique(&run->set, &err) < 0) {
        hf_cluster_run_end(run, -EEXIST, HF_MANIFEST_REASON_NOT_MANIFESTS, HF_ERR_TEXT(&err));
        return;
    }
    if (r == 0 && !hf_cluster_prune_plan(run))
        return;
    if (r == 0)
        all = hf_cluster_item_union(&run->set, run->inventory, resource_of, run);
    if (all == NULL) {
        hf_cluster_run_end(run, -EAGAIN, HF_MANIFEST_REASON_API_UNREACHABLE, "out of memory");
        return;
    }
    json_decref(run->inventory);
    run->inventory = all;
    if (run->journal != NULL && !is_on_disk(run, all))
        run->journal(run->arg, all);
    else
        go_on(run);
}

static const struct hf_cluster_step discover_step;

static void discover(struct hf_cluster_run *run)
{
    if (hf_cluster_kinds_to_ask(&run->kinds, &run->set) != NULL)
        hf_cluster_run_send(run, &discover_step);
    else
        write_all(run);
}

static int ask_kinds(struct hf_cluster_run *run, struct hf_kube_call *call)
{
    *call =
        (struct hf_kube_call){.verb = HF_KUBE_DISCOVER, .api_version = hf_cluster_kinds_to_ask(&run->kinds, &run->set)};
    return 0;
}

static void kinds_taken(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    const char *api_version = hf_cluster_kinds_to_ask(&run->kinds, &run->set);

    if (answer->r < 0 && answer->r != -ENOENT)
        end_by(run, answer);
    else if (hf_cluster_kinds_take(&run->kinds, api_version, answer->object) < 0)
        hf_cluster_run_end(run, -EAGAIN, HF_MANIFEST_REASON_API_UNREACHABLE, "out of memory");
    else
        discover(run);
}

static const struct hf_cluster_step discover_step = {.ask = ask_kinds, .taken = kinds_taken};

static enum hf_manifest_reason reason_of_parse(int r)
{
    switch (r) {
    case -ENODATA:
        return HF_MANIFEST_REASON_SOURCE_EMPTY;
    case -E2BIG:
        return HF_MANIFEST_REASON_SOURCE_TOO_LARGE;
    default:
        return HF_MANIFEST_REASON_NOT_MANIFESTS;
    }
}

static void parsed(void *arg, int r, struct hf_cluster_set *set, const struct hf_err *err)
{
    struct hf_cluster_run *run = arg;
    char why[HF_MANIFEST_MESSAGE];

    run->parse = NULL;
    if (is_unsupported(run))
        return;
    if (r == 0) {
        const char *entry = run->set.entry;
        run->set = *set;
        run->set.entry = entry;
        hf_cluster_set_init(set, NULL);
        run->wanted = (unsigned)run->set.n;
        r = hf_cluster_kinds_define(&run->kinds, &run->set);
        if (r == 0)
            discover(run);
        else
            hf_cluster_run_end(run, -EAGAIN, HF_MANIFEST_REASON_API_UNREACHABLE, "out of memory");
        return;
    }
    (void)hf_err_text(err, why, sizeof(why));
    if (r == -ENOMEM || r == -ECANCELED)
        hf_cluster_run_end(run, -EAGAIN, HF_MANIFEST_REASON_API_UNREACHABLE, why);
    else
        hf_cluster_run_end(run, r, reason_of_parse(r), why);
}

static void begin_removal(struct hf_cluster_run *run)
{
    if (!is_unsupported(run) && hf_cluster_prune_plan(run))
        hf_cluster_prune_all(run);
}

int hf_cluster_apply_start(const struct hf_cluster_apply_params *params, struct hf_cluster_run **ret_run,
                           struct hf_err *err)
{
    struct hf_cluster_run *run;
    int r = hf_cluster_run_new(params->env, params->entry, params->inventory,
                               params->bundle != NULL ? NULL : begin_removal, &run, err);

    if (r < 0)
        return r;
    run->force = params->force;
    run->repair = params->repair;
    run->keep = params->keep;
    run->prune = params->prune;
    run->may_prune_beyond = params->may_prune_beyond;
    run->journal = params->journal;
    run->done = params->done;
    run->arg = params->arg;
    if (params->bundle != NULL)
        r = hf_cluster_parse_start(params->env->world.sched, params->bundle, params->entry, parsed, run, &run->parse,
                                   err);
    if (r < 0) {
        hf_cluster_run_free(run);
        return r;
    }
    *ret_run = run;
    return 0;
}

/* ---- check ------------------------------------------------------------------------------------------------------- */

static void next_item(struct hf_cluster_run *run);

/* Keeps the worst health that a check met, and the object that has it. */
static void note_health(struct hf_cluster_run *run, const json_t *object)
{
    struct hf_cluster_health health = hf_cluster_health_of(object);
    bool failed = health.state == HF_CLUSTER_FAILED;
    char name[256];

    if (health.state == HF_CLUSTER_CURRENT || run->failures > 0 || (run->unhealthy && (run->failed || !failed)))
        return;
    run->unhealthy = true;
    run->failed = failed;
    (void)snprintf(run->outcome.message, sizeof(run->outcome.message), "%s: %s",
                   hf_cluster_id_text(&run->now.id, name, sizeof(name)), health.why);
}

static int ask_object(HF_UNUSED struct hf_cluster_run *run, HF_UNUSED struct hf_kube_call *call)
{
    return 0;
}

/* The server does not show this object. Drift of the others counts all the same. */
static void not_shown(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    struct hf_cluster_refusal refusal = hf_cluster_refusal_of(answer);

    hf_cluster_run_fail(run, refusal.reason, refusal.why);
    run->at++;
    next_item(run);
}

static void object_taken(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    const char *uid = hf_json_str_or(run->now.item, "uid", ""), *fields = hf_json_str_or(run->now.item, "fields", "");

    if (answer->r < 0 && answer->r != -ENOENT) {
        not_shown(run, answer);
        return;
    }
    hf_cluster_run_note(run, answer->object);
    if (strcmp(uid, run->now.uid) != 0 || strcmp(fields, run->now.fields) != 0) {
        run->outcome.drifted++;
        hf_cluster_run_add_drift(run, answer->r == -ENOENT);
    } else {
        run->outcome.applied++;
    }
    if (answer->r == 0)
        note_health(run, answer->object);
    else
        run->unhealthy = true;
    run->at++;
    next_item(run);
}

static const struct hf_cluster_step object_step = {.ask = ask_object, .taken = object_taken};

static void look_now(struct hf_cluster_run *run)
{
    hf_cluster_run_send(run, &object_step);
}

static void end_check(struct hf_cluster_run *run)
{
    char message[HF_MANIFEST_MESSAGE];

    if (run->failures > 0) {
        hf_cluster_run_finish(run);
        return;
    }
    assert(run->outcome.applied + run->outcome.drifted <= run->wanted && run->outcome.changed == 0);
    hf_cluster_run_name_drift(run);
    run->outcome.healthy = !run->unhealthy;
    (void)snprintf(message, sizeof(message), "%s",
                   run->outcome.drifted > 0 ? run->outcome.drift : run->outcome.message);
    hf_cluster_run_end(run, 0,
                       run->outcome.healthy ? HF_MANIFEST_REASON_HEALTH_PASSED
                       : run->failed        ? HF_MANIFEST_REASON_HEALTH_FAILED
                                            : HF_MANIFEST_REASON_NOT_READY,
                       message);
}

static void next_item(struct hf_cluster_run *run)
{
    json_t *item;

    /* Without an apply that has succeeded, the object may be another's. */
    while ((item = json_array_get(run->inventory, run->at)) != NULL && !hf_cluster_item_is_applied(item))
        run->at++;
    if (item == NULL) {
        end_check(run);
        return;
    }
    hf_cluster_run_turn_to(run, NULL, item, hf_json_str_or(item, "resource", ""));
    hf_cluster_run_pace(run, look_now);
}

static void begin_check(struct hf_cluster_run *run)
{
    run->wanted = (unsigned)json_array_size(run->inventory);
    if (!is_unsupported(run))
        next_item(run);
}

int hf_cluster_check_start(const struct hf_cluster_check_params *params, struct hf_cluster_run **ret_run,
                           struct hf_err *err)
{
    struct hf_cluster_run *run;
    int r = hf_cluster_run_new(params->env, params->entry, params->inventory, begin_check, &run, err);

    if (r < 0)
        return r;
    run->done = params->done;
    run->arg = params->arg;
    *ret_run = run;
    return 0;
}
