/* SPDX-License-Identifier: Apache-2.0 */
/* Entries to Cluster: the actions place, probe and roll back, the look for drift, and the removal, by runs of
 * manifests/cluster/cluster.h. The inventory is part of the record (r.objects).
 *
 * A run may take minutes, so the entry is busy without a job, and other entries go on. An attempt that the API server
 * does not let end is postponed and leaves the entry open for newer content; a refusal of objects ends in Refused. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "base/format.h"
#include "manifests/cluster/cluster.h"
#include "manifests/cluster/item.h"
#include "manifests/content/content.h"
#include "manifests/entry.h"
#include "manifests/repair.h"
#include "manifests/rules/gate.h"
#include "manifests/rules/plan.h"
#include "manifests/targets/target_cluster.h"
#include "manifests/targets/trial.h"

static const uint64_t probe_pause_ns = 2 * HF_NS_PER_S;

/* Attempts of one rollback, after which objects that the API server does not restore stay as they are: an unfinished
 * rollback keeps newer content out, and what the failed set has brought, such as a webhook, may be the cause. One
 * attempt is not enough: a server that has just started refuses everything until it has loaded its RBAC rules. */
enum { MAX_REFUSED_ROLLBACKS = 5 };

/* The same if the server takes no object at all: its store may be full. */
enum { MAX_FAILED_ROLLBACKS = 60 };

static const uint64_t refused_pause_ns = 60 * HF_NS_PER_S; /* at least, between two of these attempts */

static void end_attempt(struct entry *entry)
{
    make_attempt_free(hf_steal(entry->attempt));
}

/* Ends a run, and keeps the inventory that it has left. */
static void take(struct entry *entry, const struct hf_manifest_outcome *outcome)
{
    entry->cluster.run = NULL;
    entry->busy = false;
    if (outcome->inventory != NULL) {
        json_decref(entry->r.objects);
        entry->r.objects = outcome->inventory;
    }
}

/* After a failed attempt: the same, and what the attempt has not brought in stays in the inventory, because the next
 * attempt may, and in its place. So a repeated attempt has nothing new to write to disk before its first request. */
static int take_failed(struct entry *entry, const struct hf_manifest_outcome *outcome)
{
    json_t *before = json_incref(entry->r.objects), *item;
    size_t i;
    int r = 0;

    take(entry, outcome);
    json_array_foreach(before, i, item) {
        struct hf_cluster_id id = hf_cluster_item_id(item);
        if (r == 0 && hf_cluster_item_find(entry->r.objects, &id) < 0)
            r = json_array_insert(entry->r.objects, HF_MIN(i, json_array_size(entry->r.objects)), item);
    }
    json_decref(before);
    return r;
}

/* ---- the inventory, before the first write ----------------------------------------------------------------------- */

struct journal {
    struct job job;
    struct hf_buf text; /* the record with the inventory */
};

static void end_journal(struct job *job)
{
    hf_buf_done(&hf_container_of(job, struct journal, job)->text);
}

static int run_journal(struct job *job)
{
    const struct journal *at = hf_container_of(job, struct journal, job);

    return hf_manifest_record_save(job->entry->engine->p.env.world.fs, job->entry->folder, hf_buf_view(&at->text),
                                   &job->err);
}

static void journaled(struct entry *entry, struct job *job)
{
    assert(!entry->busy);
    if (job->r == 0)
        advance_keep_text(entry, &hf_container_of(job, struct journal, job)->text);
    if (entry->cluster.run == NULL)
        return;
    entry->busy = true; /* the run goes on */
    hf_cluster_run_journaled(entry->cluster.run, job->r);
}

static void journal(void *arg, const json_t *inventory)
{
    struct entry *entry = arg;
    json_t *before = entry->r.objects, *copy = json_deep_copy(inventory);
    struct journal *at = task_new_operation(sizeof(*at), entry, run_journal, journaled, end_journal);
    int r = copy == NULL || at == NULL ? -ENOMEM : 0;

    if (r == 0) {
        at->text.max = HF_RECORD_MAX_BYTES;
        entry->r.objects = copy;
        r = hf_manifest_record_format(&entry->r, &at->text);
    }
    if (r < 0) {
        entry->r.objects = before;
        json_decref(copy);
        task_discard(at);
        hf_cluster_run_journaled(entry->cluster.run, r);
        return;
    }
    json_decref(before);
    if (advance_has_text(entry, &at->text)) { /* a repeated attempt has nothing new to say */
        task_discard(at);
        hf_cluster_run_journaled(entry->cluster.run, 0);
        return;
    }
    hf_buf_clear(&entry->machine.text); /* the next save must not take the older text for the one on disk */
    task_submit(&at->job);
}

/* The same for an attempt to place a set: its first write follows. A repeated attempt has nothing new to say. */
static void journal_place(void *arg, const json_t *inventory)
{
    struct entry *entry = arg;

    if (entry->r.unproven && json_equal(inventory, entry->r.objects) == 1) {
        hf_cluster_run_journaled(entry->cluster.run, 0);
        return;
    }
    advance_begin(entry);
    entry->r.unproven = true;
    journal(arg, inventory);
}

/* ---- from the content on disk to a run --------------------------------------------------------------------------- */

struct set_load {
    struct job job;
    struct hf_bundle *bundle; /* the content of entry->attempt; owned */
};

static void end_load(struct job *job)
{
    hf_bundle_free(hf_container_of(job, struct set_load, job)->bundle);
}

static int run_load(struct job *job)
{
    struct set_load *at = hf_container_of(job, struct set_load, job);
    int r = make_bundle(job->entry, job->entry->attempt, &at->bundle, &job->outcome);

    job->unreadable = make_is_unreadable(job->entry, job->entry->attempt, r);
    return r;
}

static struct hf_bundle *loaded_bundle(struct job *job)
{
    return hf_container_of(job, struct set_load, job)->bundle;
}

/* Loads the content of a set, then calls `then`, with loaded_bundle(job), or with a failure in job->outcome. */
static bool load(struct entry *entry, const struct hf_manifest_set *set,
                 void (*then)(struct entry *entry, struct job *job))
{
    struct set_load *at = task_new_operation(sizeof(*at), entry, run_load, then, end_load);

    entry->attempt = make_attempt(entry, set);
    if (at == NULL || entry->attempt == NULL) {
        task_discard(at);
        end_attempt(entry);
        return false;
    }
    task_submit(&at->job);
    return true;
}

/* Starts a run that applies `bundle` (NULL: removes all). Returns 0, -E2BIG if the bundle has too much text, or
 * -ENOMEM. */
static int start(struct entry *entry, struct hf_cluster_apply_params *params,
                 void (*done)(void *arg, const struct hf_manifest_outcome *outcome), struct hf_err *err)
{
    params->env = &entry->engine->p.env;
    params->entry = entry->name;
    params->inventory = entry->r.objects;
    params->done = done;
    params->arg = entry;
    int r = hf_cluster_apply_start(params, &entry->cluster.run, err);

    entry->busy = r == 0;
    return r;
}

/* ---- place ------------------------------------------------------------------------------------------------------- */

static void not_placed(struct entry *entry, enum hf_manifest_reason reason, const char *message)
{
    enum hf_manifest_retry retry = hf_manifest_gate_retry(reason);
    char text[HF_RECORD_MESSAGE];

    message = advance_text(entry, &entry->r.next, reason, message, text);
    end_attempt(entry);
    if (reason == HF_MANIFEST_REASON_SOURCE_UNREACHABLE) /* our copy of the content is lost */
        content_lost(entry, &entry->r.next);
    if (reason == HF_MANIFEST_REASON_SOURCE_UNREACHABLE || retry == HF_MANIFEST_RETRY_BACK_OFF ||
        reason == HF_MANIFEST_REASON_PRUNE_LIMIT) {
        advance_back_off(entry);
        if (reason == HF_MANIFEST_REASON_PRUNE_LIMIT)
            entry->due_ns = HF_NEVER; /* until the next interval, or the annotation */
        advance_event(entry, HF_MANIFEST_EV_POSTPONED, reason, message);
    } else {
        advance_event(entry, HF_MANIFEST_EV_REFUSED, reason, message);
    }
}

static void placed(void *arg, const struct hf_manifest_outcome *outcome)
{
    struct entry *entry = arg;
    bool changed = outcome->changed + outcome->pruned > 0 || entry->cluster.was_unproven;
    char text[HF_RECORD_MESSAGE];

    /* The record had the inventory, and said so, before the first write. */
    assert(entry->r.unproven || outcome->changed + outcome->pruned == 0);
    assert(strcmp(entry->attempt->set.key, entry->r.next.key) == 0);
    if (outcome->r < 0) {
        (void)take_failed(entry, outcome); /* without memory, the next attempt writes its inventory again */
        not_placed(entry, outcome->reason, outcome->message);
        return;
    }
    take(entry, outcome);
    (void)snprintf(text, sizeof(text), "%u %s in place, %u changed, %u removed", outcome->applied,
                   hf_noun(outcome->applied, "object", "objects"), outcome->changed, outcome->pruned);
    end_attempt(entry);
    advance_begin(entry);
    if (changed)
        advance_event(entry, HF_MANIFEST_EV_PLACED, HF_MANIFEST_REASON_NONE, text);
    else
        advance_event(entry, HF_MANIFEST_EV_SAME, HF_MANIFEST_REASON_APPLIED, text);
}

static void loaded(struct entry *entry, struct job *job)
{
    struct hf_cluster_apply_params params = {.bundle = loaded_bundle(job), .journal = journal_place};
    const struct attempt *attempt = entry->attempt;
    struct hf_err err = HF_ERR_INIT;

    content_count_unreadable(entry, job);
    if (job->r < 0) {
        not_placed(entry, job->outcome.reason, job->outcome.message);
        return;
    }
    entry->cluster.was_unproven = entry->r.unproven;
    params.force = attempt->entry->force;
    params.prune = attempt->entry->prune;
    params.may_prune_beyond = hf_plan_prune_is_allowed(entry->engine->allow_prune, entry->name, attempt->set.digest);
    int r = start(entry, &params, placed, &err);
    if (r < 0)
        not_placed(entry, r == -E2BIG ? HF_MANIFEST_REASON_SOURCE_TOO_LARGE : HF_MANIFEST_REASON_WRITE_FAILED,
                   HF_ERR_TEXT(&err));
}

static void place(struct entry *entry)
{
    if (!load(entry, &entry->r.next, loaded))
        not_placed(entry, HF_MANIFEST_REASON_WRITE_FAILED, "out of memory");
}

/* ---- probe ------------------------------------------------------------------------------------------------------- */

/* Looks again after a pause. The record does not change, so nothing is written. */
static void probe_again(struct entry *entry, enum hf_manifest_reason reason, const char *message)
{
    advance_event(entry, HF_MANIFEST_EV_FAILED, HF_MANIFEST_REASON_NONE, NULL);
    entry->due_ns = hf_steer_core_now_ns(&entry->engine->core) + probe_pause_ns;
    advance_note(entry, reason, message);
}

static void put_back(void *arg, const struct hf_manifest_outcome *outcome)
{
    struct entry *entry = arg;

    assert(entry->r.phase == HF_MANIFEST_PROBATION && outcome->pruned == 0);
    take(entry, outcome);
    if (outcome->r < 0 && (outcome->answered || outcome->r != -EAGAIN)) {
        trial_not_put_back(entry, false, outcome->reason, outcome->message);
        return;
    }
    end_attempt(entry);
    /* The objects begin anew, or nobody can put them back for now, and no time passes. */
    entry->cluster.probe_ns = entry->trial.refused_ns = 0;
    entry->trial.repairs += outcome->r == 0;
    if (outcome->r == 0 && outcome->drifted > 0)
        repair_put_back(entry, outcome->message);
    probe_again(entry, outcome->reason, outcome->message);
}

static void put_back_objects(struct entry *entry, struct job *job)
{
    struct hf_cluster_apply_params params = {
        .bundle = loaded_bundle(job), .journal = journal, .repair = true, .keep = true};

    content_count_unreadable(entry, job);
    if (job->r < 0) {
        trial_not_put_back(entry, job->unreadable, job->outcome.reason, job->outcome.message);
        return;
    }
    params.force = entry->attempt->entry->force;
    if (start(entry, &params, put_back, NULL) < 0)
        trial_not_put_back(entry, false, HF_MANIFEST_REASON_WRITE_FAILED, "out of memory");
}

/* Somebody has changed an object that is on trial, so its health says nothing about the newest set. Returns true if the
 * objects of the set are put back first. */
static bool puts_back(struct entry *entry, const struct hf_manifest_outcome *outcome)
{
    if (outcome->drifted == 0 || entry->trial.repairs >= MANIFEST_MAX_TRIAL_REPAIRS)
        return false;
    end_attempt(entry);
    if (!load(entry, &entry->r.next, put_back_objects))
        probe_again(entry, HF_MANIFEST_REASON_WRITE_FAILED, "out of memory");
    return true;
}

/* Each start of the agent begins the trial anew, and a set may be the cause of the starts. While nobody looks, as when
 * the server is away, they do not count. */
static bool starts_too_often(const struct entry *entry, const struct hf_manifest_outcome *outcome)
{
    bool passes = outcome->r == 0 && outcome->healthy && outcome->drifted == 0 && entry->attempt->entry->n_checks == 0;

    return entry->r.starts > HF_RECORD_MAX_STARTS && !passes;
}

/* A look after the health checks could not see every object, or finds one that is not ready any more. Returns true if
 * the trial begins anew. */
static bool begins_anew(struct entry *entry, const struct hf_manifest_outcome *outcome)
{
    bool failed = entry->attempt->failure.reason != HF_MANIFEST_REASON_NONE ||
                  outcome->reason == HF_MANIFEST_REASON_HEALTH_FAILED;
    bool clear = outcome->r == 0 && (outcome->healthy || failed);

    if (!entry->attempt->checked || clear || entry->trial.repairs >= MANIFEST_MAX_TRIAL_REPAIRS)
        return false;
    end_attempt(entry);
    entry->trial.repairs++;
    entry->cluster.probe_ns = 0;
    probe_again(entry, outcome->reason, outcome->message);
    return true;
}

/* The server has answered. */
static void judge(struct entry *entry, const struct hf_manifest_outcome *outcome)
{
    const struct attempt *attempt = entry->attempt;
    uint64_t now = hf_steer_core_now_ns(&entry->engine->core);

    if (entry->cluster.probe_ns == 0)
        entry->cluster.probe_ns = now;
    if (outcome->r == 0 && outcome->drifted == 0 && entry->trial.refused_ns != 0) {
        entry->trial.repairs++; /* it is in place again, and may change again and again */
        entry->trial.refused_ns = 0;
    }
    bool late = now - entry->cluster.probe_ns >= attempt->entry->health_deadline_ns;
    if ((outcome->r == 0 && puts_back(entry, outcome)) || begins_anew(entry, outcome))
        return;
    bool failed = attempt->failure.reason != HF_MANIFEST_REASON_NONE;
    bool healthy = outcome->r == 0 && outcome->healthy;
    if (attempt->checked ? failed || outcome->reason != HF_MANIFEST_REASON_HEALTH_FAILED
                         : healthy && attempt->entry->n_checks == 0) {
        trial_conclude(entry);
    } else if (healthy) {
        trial_check(entry);
    } else if (late || outcome->reason == HF_MANIFEST_REASON_HEALTH_FAILED) {
        end_attempt(entry);
        advance_event(entry, HF_MANIFEST_EV_UNHEALTHY, outcome->reason, outcome->message);
    } else {
        end_attempt(entry);
        probe_again(entry, outcome->reason, outcome->message);
    }
}

static void probed(void *arg, const struct hf_manifest_outcome *outcome)
{
    struct entry *entry = arg;

    take(entry, outcome);
    if (outcome->r < 0 && !outcome->answered) { /* nobody looked: no verdict, and no time passes */
        bool failed = entry->attempt->failure.reason != HF_MANIFEST_REASON_NONE;
        if (failed && ++entry->trial.repairs > MANIFEST_MAX_TRIAL_REPAIRS) { /* the set may be why the server is away */
            trial_conclude(entry);
            return;
        }
        end_attempt(entry);
        entry->cluster.probe_ns = entry->trial.refused_ns = 0;
        entry->r.starts -= entry->trial.start_counted && entry->r.starts > 0;
        entry->trial.start_due = entry->trial.start_due || entry->trial.start_counted;
        entry->trial.start_counted = false;
        probe_again(entry, outcome->reason, outcome->message);
        return;
    }
    entry->trial.start_counted = false;
    if (entry->trial.start_due) { /* the set may be the cause of the next start, so the record has to say so first */
        end_attempt(entry);
        entry->trial.start_due = false;
        entry->r.starts++;
        probe_again(entry, outcome->reason, outcome->message);
        return;
    }
    if (starts_too_often(entry, outcome)) {
        end_attempt(entry);
        advance_event(entry, HF_MANIFEST_EV_UNHEALTHY, HF_MANIFEST_REASON_HEALTH_FAILED,
                      "the agent started too often before the checks ended");
        return;
    }
    judge(entry, outcome);
}

static bool look(struct entry *entry, void (*done)(void *arg, const struct hf_manifest_outcome *outcome))
{
    const struct hf_cluster_check_params params = {
        .env = &entry->engine->p.env, .entry = entry->name, .inventory = entry->r.objects, .done = done, .arg = entry};

    entry->busy = hf_cluster_check_start(&params, &entry->cluster.run, NULL) == 0;
    return entry->busy;
}

static void look_on_trial(struct entry *entry)
{
    if (entry->attempt != NULL && look(entry, probed))
        return;
    end_attempt(entry);
    probe_again(entry, HF_MANIFEST_REASON_WRITE_FAILED, "out of memory");
}

static void probe(struct entry *entry)
{
    entry->attempt = make_attempt(entry, &entry->r.next);
    if (entry->attempt != NULL)
        entry->attempt->look = look_on_trial;
    look_on_trial(entry);
}

/* ---- roll back --------------------------------------------------------------------------------------------------- */

/* The reason of the failure stays. */
static void rolled_back(struct entry *entry, const char *more)
{
    char text[HF_RECORD_MESSAGE];

    end_attempt(entry);
    entry->failures.unreadable_rollbacks = entry->cluster.refused_rollbacks = entry->cluster.failed_rollbacks = 0;
    (void)snprintf(text, sizeof(text), "%s; %s", HF_CUT(250, entry->r.message), HF_CUT(120, more));
    advance_event(entry, HF_MANIFEST_EV_RESTORED, entry->r.reason, text);
}

static void rollback_again(struct entry *entry, enum hf_manifest_reason reason, const char *message)
{
    end_attempt(entry);
    advance_back_off(entry);
    advance_event(entry, HF_MANIFEST_EV_FAILED, HF_MANIFEST_REASON_NONE, NULL);
    advance_note(entry, reason, message);
}

/* A server that is away is waited for without a limit. */
static bool restores_again(struct entry *entry, const struct hf_manifest_outcome *outcome)
{
    bool takes_none = outcome->r == -EAGAIN && outcome->applied == 0;

    if (!outcome->answered) {
        entry->cluster.refused_rollbacks = entry->cluster.failed_rollbacks = 0;
        return outcome->r == -EAGAIN;
    }
    if (takes_none)
        return ++entry->cluster.failed_rollbacks < MAX_FAILED_ROLLBACKS;
    return ++entry->cluster.refused_rollbacks < MAX_REFUSED_ROLLBACKS;
}

static void restored(void *arg, const struct hf_manifest_outcome *outcome)
{
    struct entry *entry = arg;

    take(entry, outcome);
    entry->r.unproven = outcome->r < 0;
    if (!restores_again(entry, outcome)) {
        rolled_back(entry, outcome->r == 0 ? "the last good objects are in place again" : outcome->message);
        return;
    }
    rollback_again(entry, outcome->reason, outcome->message);
    if (outcome->answered) /* the few attempts outlast a short disturbance */
        entry->due_ns =
            hf_steer_core_now_ns(&entry->engine->core) + HF_MAX(entry->engine->p.env.retry_cap_ns, refused_pause_ns);
}

/* The good content could not be read. It may be readable later, unless it is lost. */
static void not_reloaded(struct entry *entry, const struct hf_manifest_outcome *outcome)
{
    bool lost = outcome->reason == HF_MANIFEST_REASON_SOURCE_UNREACHABLE;

    if (lost || entry->failures.unreadable_rollbacks >= MANIFEST_MAX_UNREADABLE) {
        rolled_back(entry, outcome->message);
        return;
    }
    entry->failures.unreadable_rollbacks += outcome->r != -ENOMEM;
    rollback_again(entry, outcome->reason, outcome->message);
}

static void reloaded(struct entry *entry, struct job *job)
{
    struct hf_cluster_apply_params params = {.bundle = loaded_bundle(job), .journal = journal, .repair = true};

    if (job->r < 0) {
        not_reloaded(entry, &job->outcome);
        return;
    }
    entry->failures.unreadable_rollbacks = 0; /* the API server may be away for days */
    params.force = entry->attempt->entry->force;
    params.prune = entry->attempt->entry->prune;
    params.may_prune_beyond = true; /* it goes back to what was, and no further */
    if (start(entry, &params, restored, NULL) < 0)
        rollback_again(entry, HF_MANIFEST_REASON_WRITE_FAILED, "out of memory");
}

static void roll_back(struct entry *entry)
{
    if (entry->r.good.key[0] == '\0') /* a namespace may hold more than ours: a person decides what to delete */
        rolled_back(entry, "there is no earlier content, so the objects stay");
    else if (!load(entry, &entry->r.good, reloaded))
        rollback_again(entry, HF_MANIFEST_REASON_WRITE_FAILED, "out of memory");
}

/* ---- drift ------------------------------------------------------------------------------------------------------- */

/* Looks again later, because the server did not answer. */
static void look_later(struct entry *entry, uint64_t delay_ns)
{
    drift_pace(&entry->drift, hf_steer_core_now_ns(&entry->engine->core) + delay_ns);
    hf_steer_machine_wake(&entry->machine);
}

static void not_looked(struct entry *entry, enum hf_manifest_reason reason, const char *message)
{
    end_attempt(entry);
    drift_move(&entry->drift, HF_DRIFT_EV_ENDED);
    advance_note_about(entry, ENTRY_NOTE_LOOK, reason, message);
    if (hf_manifest_gate_retry(reason) == HF_MANIFEST_RETRY_BACK_OFF) {
        drift_look_again(entry);
        hf_steer_machine_wake(&entry->machine);
    }
}

static void repaired(void *arg, const struct hf_manifest_outcome *outcome)
{
    struct entry *entry = arg;

    take(entry, outcome);
    if (outcome->drifted > 0 && outcome->drift[0] != '\0')
        drift_repaired(entry, outcome->drift);
    if (outcome->r < 0) {
        entry->save_wanted = true;
        not_looked(entry, outcome->reason, outcome->message);
        return;
    }
    end_attempt(entry);
    drift_move(&entry->drift, HF_DRIFT_EV_ENDED);
    advance_note_about(entry, ENTRY_NOTE_LOOK, HF_MANIFEST_REASON_NONE, NULL);
    advance_save(entry);
}

static void repair(struct entry *entry, struct job *job)
{
    struct hf_cluster_apply_params params = {.bundle = loaded_bundle(job), .journal = journal, .repair = true};

    content_repair_ended(entry, job);
    if (job->r < 0) {
        not_looked(entry, job->outcome.reason, job->outcome.message);
        return;
    }
    params.force = entry->attempt->entry->force;
    params.prune = false;
    params.keep = true;
    if (start(entry, &params, repaired, NULL) < 0)
        not_looked(entry, HF_MANIFEST_REASON_WRITE_FAILED, "out of memory");
}

static void looked(void *arg, const struct hf_manifest_outcome *outcome)
{
    struct entry *entry = arg;
    uint64_t now = hf_steer_core_now_ns(&entry->engine->core), wait = drift_wait_ns(&entry->drift, now);

    take(entry, outcome);
    entry->cluster.has_just_looked = true;
    hf_metric_add(entry->engine->counts.looks, 1);
    if (outcome->r < 0 && (!outcome->answered || outcome->drifted == 0)) {
        not_looked(entry, outcome->reason, outcome->message);
    } else if (outcome->drifted == 0) {
        /* In other phases the status says what the newest set waits for. */
        bool shows = !outcome->healthy && entry->r.phase == HF_MANIFEST_APPLIED;
        drift_move(&entry->drift, HF_DRIFT_EV_ENDED);
        advance_note_about(entry, ENTRY_NOTE_LOOK, shows ? outcome->reason : HF_MANIFEST_REASON_NONE, outcome->message);
        hf_steer_machine_wake(&entry->machine);
    } else if (wait > 0) {
        look_later(entry, wait);
    } else {
        drift_spend(&entry->drift, now);
        drift_move(&entry->drift, HF_DRIFT_EV_DRIFTED);
        if (!load(entry, &entry->r.good, repair))
            look_later(entry, HF_NS_PER_S);
    }
}

static bool consider_look(struct entry *entry)
{
    struct hf_manifest_engine *engine = entry->engine;
    struct drift *drift = &entry->drift;
    uint64_t now = hf_steer_core_now_ns(&engine->core);
    uint64_t wait = hf_drift_machine_wait_ns(drift->state, drift->due_ns, false, 0, now);

    if (wait == HF_NEVER || engine->core.inline_ || !hf_manifest_machine_rests(entry->r.phase) ||
        json_array_size(entry->r.objects) == 0 || entry->r.good.key[0] == '\0')
        return false;
    if (entry->cluster
            .has_just_looked) { /* a look may take as long as the interval, and newer content comes in between */
        entry->cluster.has_just_looked = false;
        hf_steer_machine_wake(&entry->machine);
        return false;
    }
    if (wait > 0) {
        hf_steer_machine_wake_in(&entry->machine, wait);
        return false;
    }
    if (!look(entry, looked))
        return false;
    (void)drift_begin(drift, now);
    return true;
}

/* ---- removal ----------------------------------------------------------------------------------------------------- */

static void removed(void *arg, const struct hf_manifest_outcome *outcome)
{
    struct entry *entry = arg;

    take(entry, outcome);
    if (outcome->r == 0) {
        json_decref(hf_steal(entry->r.objects));
        hf_steer_machine_wake(&entry->machine); /* the next turn forgets the entry */
        return;
    }
    advance_not_removed(entry, outcome);
    hf_steer_machine_wake(&entry->machine);
}

/* The next turn of the engine finds that nothing is left. */
static bool remove_all(struct entry *entry, void (*then)(struct entry *entry))
{
    struct hf_cluster_apply_params params = {.prune = true};

    (void)then;
    if (json_array_size(entry->r.objects) == 0)
        return false;
    params.may_prune_beyond =
        hf_plan_prune_is_allowed(entry->engine->allow_prune, entry->name, hf_manifest_record_owner(&entry->r)->digest);
    if (start(entry, &params, removed, NULL) < 0)
        advance_back_off(entry);
    return true;
}

/* ---- the target -------------------------------------------------------------------------------------------------- */

static bool find_root(HF_UNUSED const struct entry *entry, HF_UNUSED const struct hf_files_place *place,
                      HF_UNUSED const struct hf_config *config, HF_UNUSED const struct hf_manifest_set *set,
                      char root[HF_FILES_MAX_PATH])
{
    root[0] = '\0';
    return false;
}

/* The inventory is part of the record. */
static int make_objects(HF_UNUSED struct entry *entry, HF_UNUSED struct hf_err *err)
{
    return 0;
}

const struct target_ops target_cluster = {
    .place = place,
    .probe = probe,
    .roll_back = roll_back,
    .look = consider_look,
    .check_again = target_never,
    .is_unchecked = target_is_never,
    .remove = remove_all,
    .prepares = target_never,
    .needs_probe = target_is_never,
    .is_allowed = hf_config_allows_manifest_cluster,
    .find_root = find_root,
    .make_inventory = make_objects,
    .lacks_all = target_is_never,
    .names_images = hf_cluster_set_reads,
    .cut_is_unproven = true,
};
