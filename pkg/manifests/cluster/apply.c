/* SPDX-License-Identifier: Apache-2.0 */
/* One object after the other:
 *
 *     look --(being deleted)--> gone --> write
 *       `--> write --> [current] --> next object
 *              `--(immutable, force)--> rehearse --> remove --> gone --> write
 *
 * `rehearse` asks the server whether it would accept the new object, before `remove` deletes the old one. */
#include "manifests/cluster/apply.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manifests/cluster/health.h"

#define HF_CLUSTER_GONE_NS (2 * 60 * HF_NS_PER_S) /* wait for a deletion */

#define POLL_NS (HF_NS_PER_S / 2)

static void look_at_object(struct hf_cluster_run *run);

static void next_object(struct hf_cluster_run *run)
{
    run->at++;
    look_at_object(run);
}

static void fail(struct hf_cluster_run *run, enum hf_manifest_reason reason, const char *why)
{
    hf_cluster_run_fail(run, reason, why);
    next_object(run);
}

static void fail_by(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    struct hf_cluster_refusal refusal = hf_cluster_refusal_of(answer);

    fail(run, refusal.reason, refusal.why);
}

static uint64_t now_ns(const struct hf_cluster_run *run)
{
    return hf_mono_ns(run->env->world.clock);
}

/* Begins a wait for the current object, or checks one that runs: true while there is time. */
static bool may_wait(struct hf_cluster_run *run, uint64_t limit_ns)
{
    if (run->wait_until_ns == 0)
        run->wait_until_ns = HF_MIN(now_ns(run) + limit_ns, run->started_ns + HF_CLUSTER_TIME_NS);
    return now_ns(run) < run->wait_until_ns;
}

/* ---- current: the object has to work before others follow -------------------------------------------------------- */

static int ask_object(HF_UNUSED struct hf_cluster_run *run, HF_UNUSED struct hf_kube_call *call)
{
    return 0;
}

static void look_again(struct hf_cluster_run *run);

static void await_current(struct hf_cluster_run *run, const json_t *object)
{
    struct hf_cluster_health health = hf_cluster_health_of(object);

    if (run->now.object->rank >= HF_CLUSTER_RANK_WAIT || health.state == HF_CLUSTER_CURRENT)
        next_object(run);
    else if (health.state == HF_CLUSTER_FAILED || !may_wait(run, HF_CLUSTER_CURRENT_NS))
        fail(run, HF_MANIFEST_REASON_NOT_READY, health.why);
    else
        hf_cluster_run_later(run, POLL_NS, look_again);
}

static void current_taken(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    if (answer->r == 0)
        await_current(run, answer->object);
    else
        fail(run, HF_MANIFEST_REASON_NOT_READY, hf_cluster_refusal_of(answer).why);
}

static const struct hf_cluster_step current_step = {.ask = ask_object, .taken = current_taken};

static void look_again(struct hf_cluster_run *run)
{
    hf_cluster_run_send(run, &current_step);
}

/* ---- gone: an object that is being deleted ----------------------------------------------------------------------- */

static const struct hf_cluster_step write_step, gone_step;

static int ask_metadata(HF_UNUSED struct hf_cluster_run *run, struct hf_kube_call *call)
{
    call->metadata_only = true;
    return 0;
}

static void look_if_gone(struct hf_cluster_run *run)
{
    hf_cluster_run_send(run, &gone_step);
}

static void gone_taken(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    const char *uid = hf_json_str_or(answer->object, "metadata.uid", "");

    if (answer->r == -ENOENT || (answer->r == 0 && strcmp(uid, run->now.uid) != 0)) {
        run->wait_until_ns = 0;
        hf_cluster_run_send(run, &write_step);
    } else if (answer->r < 0) {
        fail_by(run, answer);
    } else if (!may_wait(run, HF_CLUSTER_GONE_NS)) {
        fail(run, HF_MANIFEST_REASON_NOT_READY, "it is being deleted, and something keeps it: see metadata.finalizers");
    } else {
        hf_cluster_run_later(run, POLL_NS, look_if_gone);
    }
}

static const struct hf_cluster_step gone_step = {.ask = ask_metadata, .taken = gone_taken};

/* ---- remove: the old object of a pair ---------------------------------------------------------------------------- */

static int ask_remove(struct hf_cluster_run *run, struct hf_kube_call *call)
{
    /* The server would take the new object, and the run was told to replace what it cannot change. */
    assert(run->force && run->now.replaced && !run->now.kept && run->now.uid[0] != '\0');
    call->verb = HF_KUBE_DELETE;
    call->body = run->body =
        json_pack("{s:s, s:{s:s}}", "propagationPolicy", "Background", "preconditions", "uid", run->now.uid);
    return run->body != NULL ? 0 : -ENOMEM;
}

static void remove_taken(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    if (answer->r == 0 || answer->r == -ENOENT || answer->r == -ESTALE) /* -ESTALE: another object has the name now */
        look_if_gone(run);
    else
        fail_by(run, answer);
}

static const struct hf_cluster_step remove_step = {.ask = ask_remove, .taken = remove_taken, .takes_conflict = true};

/* ---- rehearse: would the server take the new object? ------------------------------------------------------------- */

static int parse_object(struct hf_cluster_run *run)
{
    const struct hf_cluster_object *object = run->now.object;

    return hf_json_parse((struct hf_view){object->json, object->n_json}, NULL, &run->body, NULL);
}

static int ask_rehearse(struct hf_cluster_run *run, struct hf_kube_call *call)
{
    int r = parse_object(run);

    call->verb = HF_KUBE_CREATE;
    call->name = NULL;
    call->query = "dryRun=All";
    call->body = run->body;
    return r;
}

/* The server checks a new object before it finds that one with this name exists. */
static void rehearse_taken(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    char why[HF_CLUSTER_WHY + 60];

    if (answer->r == 0 || answer->r == -EEXIST) {
        hf_log(run->env->world.log, HF_LOG_INFO, "manifest.replaces", HF_S("entry", run->entry),
               HF_S("kind", run->now.id.kind), HF_S("namespace", run->now.id.ns), HF_S("name", run->now.id.name));
        run->now.replaced = true;
        hf_cluster_run_send(run, &remove_step);
        return;
    }
    struct hf_cluster_refusal refusal = hf_cluster_refusal_of(answer);
    bool passes = refusal.sense == HF_CLUSTER_AGAIN;
    (void)snprintf(why, sizeof(why), "cannot be deleted and created%s: %s", passes ? " now" : "", refusal.why);
    fail(run, passes ? HF_MANIFEST_REASON_API_UNREACHABLE : HF_MANIFEST_REASON_API_REFUSED, why);
}

static const struct hf_cluster_step rehearse_step = {.ask = ask_rehearse, .taken = rehearse_taken};

/* ---- write ------------------------------------------------------------------------------------------------------- */

static int ask_write(struct hf_cluster_run *run, struct hf_kube_call *call)
{
    int r = parse_object(run);

    call->verb = HF_KUBE_APPLY;
    call->force = run->force || run->repair;
    call->body = run->body;
    return r;
}

/* Kinds whose deletion takes more with it than the object. */
static bool may_replace(const struct hf_cluster_now *now)
{
    static const char *const never[] = {"Namespace", "PersistentVolume", "PersistentVolumeClaim",
                                        "CustomResourceDefinition"};

    for (size_t i = 0; i < HF_LEN(never); i++)
        if (strcmp(now->id.kind, never[i]) == 0)
            return false;
    return *now->uid != '\0' && !now->kept && !now->replaced;
}

static void immutable(struct hf_cluster_run *run, const char *server)
{
    char why[HF_CLUSTER_WHY + 80];

    if (run->force && may_replace(&run->now)) {
        hf_cluster_run_send(run, &rehearse_step);
        return;
    }
    (void)snprintf(why, sizeof(why), "%s; %s", server,
                   run->force ? "`force` does not delete and create this object"
                              : "`force: true` deletes the object and creates it anew");
    fail(run, HF_MANIFEST_REASON_IMMUTABLE, why);
}

static bool shows_label(const struct hf_cluster_run *run, const json_t *object)
{
    const json_t *label = json_object_get(hf_json_at(object, "metadata.labels"), HF_CLUSTER_LABEL);

    return json_is_string(label) && strcmp(json_string_value(label), run->entry) == 0;
}

/* The inventory says that the object was in place, and the look has found another one, or none. */
static bool has_drifted(const struct hf_cluster_run *run)
{
    const char *uid = hf_json_str_or(run->now.item, "uid", ""), *fields = hf_json_str_or(run->now.item, "fields", "");

    return *uid != '\0' && (strcmp(uid, run->now.uid) != 0 || strcmp(fields, run->now.fields) != 0);
}

static void applied(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    struct hf_cluster_now before = run->now;

    if (!shows_label(run, answer->object)) {
        fail(run, HF_MANIFEST_REASON_API_UNREACHABLE,
             "the answer does not show our label: a webhook has taken it away, or a local proxy dropped the write");
        return;
    }
    if (has_drifted(run))
        hf_cluster_run_add_drift(run, *run->now.uid == '\0');
    hf_cluster_run_note(run, answer->object);
    run->outcome.applied++;
    /* The time of our last change has only seconds, and a status that changes meanwhile costs no more than a trial. */
    run->outcome.changed +=
        answer->status == 201 || strcmp(before.uid, run->now.uid) != 0 || strcmp(before.version, run->now.version) != 0;
    if (before.item != NULL && hf_cluster_item_record(before.item, answer->object) < 0) {
        hf_cluster_run_end(run, -EAGAIN, HF_MANIFEST_REASON_API_UNREACHABLE, "out of memory");
        return;
    }
    await_current(run, answer->object);
}

static void write_now(struct hf_cluster_run *run)
{
    hf_cluster_run_send(run, &write_step);
}

static void write_taken(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    const struct hf_cluster_kind *kind = hf_cluster_kinds_find(&run->kinds, &run->now.id);
    struct hf_cluster_refusal refusal = hf_cluster_refusal_of(answer);

    if (refusal.sense == HF_CLUSTER_DONE)
        applied(run, answer);
    else if (answer->r == -ENOENT && kind != NULL && kind->defined && may_wait(run, HF_CLUSTER_CURRENT_NS))
        hf_cluster_run_later(run, POLL_NS, write_now); /* the server has accepted the kind, but does not serve it yet */
    else if (refusal.sense == HF_CLUSTER_REPLACE)
        immutable(run, refusal.why);
    else
        fail(run, refusal.reason, refusal.why);
}

static const struct hf_cluster_step write_step = {.ask = ask_write, .taken = write_taken};

/* ---- look -------------------------------------------------------------------------------------------------------- */

/* Two entries must not take turns in applying one object. Returns the other entry, or NULL. */
static const char *other_entry(const struct hf_cluster_run *run, const json_t *live)
{
    const json_t *label = json_object_get(hf_json_at(live, "metadata.labels"), HF_CLUSTER_LABEL);

    return json_is_string(label) && !shows_label(run, live) && *run->now.fields != '\0' ? json_string_value(label)
                                                                                        : NULL;
}

static void look_taken(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    char why[200];
    const char *other;

    if (answer->r < 0 && answer->r != -ENOENT) {
        fail_by(run, answer);
        return;
    }
    hf_cluster_run_note(run, answer->object);
    run->outcome.drifted += has_drifted(run);
    other = other_entry(run, answer->object);
    if (other != NULL && !run->force) { /* nor does a repair take over another entry's object */
        (void)snprintf(why, sizeof(why), "the entry '%.63s' applies it too; `force: true` takes it over", other);
        fail(run, HF_MANIFEST_REASON_CONFLICT, why);
    } else if (*hf_json_str_or(answer->object, "metadata.deletionTimestamp", "") != '\0') {
        look_if_gone(run);
    } else {
        hf_cluster_run_send(run, &write_step);
    }
}

static const struct hf_cluster_step look_step = {.ask = ask_metadata, .taken = look_taken};

static void look_now(struct hf_cluster_run *run)
{
    hf_cluster_run_send(run, &look_step);
}

/* `next` of hf_cluster_apply_all() waits in run->after while objects are applied. */
static void look_at_object(struct hf_cluster_run *run)
{
    const struct hf_cluster_kind *kind;

    for (; run->at < run->set.n; run->at++) {
        const struct hf_cluster_object *object = &run->set.objects[run->at];
        int item = hf_cluster_item_find(run->inventory, &object->id);
        kind = hf_cluster_kinds_find(&run->kinds, &object->id);
        if (kind == NULL)
            continue;
        hf_cluster_run_turn_to(run, object, item >= 0 ? json_array_get(run->inventory, (size_t)item) : NULL,
                               kind->plural);
        run->wait_until_ns = 0;
        hf_cluster_run_pace(run, look_now);
        return;
    }
    hf_cluster_run_later(run, 0, run->after);
}

void hf_cluster_apply_all(struct hf_cluster_run *run, void (*next)(struct hf_cluster_run *run))
{
    run->at = 0;
    run->after = next;
    look_at_object(run);
}
