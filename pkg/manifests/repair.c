/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at the files in place, puts back those that somebody has changed, and tells of it. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "base/encoding/cut.h"
#include "manifests/entry.h"
#include "manifests/files/look.h"
#include "manifests/repair.h"

static const uint64_t notice_ns = 60 * HF_NS_PER_S;

static int run_look(struct job *job)
{
    struct drift_look *look = hf_container_of(job, struct drift_look, job);
    const struct entry *entry = job->entry;
    const struct hf_manifest_env *env = &entry->engine->p.env;
    struct hf_files_look at = {.fs = env->world.fs,
                               .host_root = env->host_root,
                               .inventory = &job->entry->inventory,
                               .now_unix_ns = hf_unix_ns(env->world.clock),
                               .full = look->full};
    int r = hf_files_look_for_drift(&at, &job->err);

    look->diff = at.diff;
    job->unreadable = r == 0 && at.n_unreadable > 0 && at.n_unreadable == at.diff.n;
    return r;
}

struct drift_look *repair_look_new(struct entry *entry, bool full, void (*then)(struct entry *entry, struct job *job))
{
    struct drift_look *look = task_new_operation(sizeof(*look), entry, run_look, then, NULL);

    if (look != NULL)
        look->full = full;
    return look;
}

/* Makes durable that a restart of the unit is due, because a power cut may come between the swap and the restart. A
 * state folder that is full or read-only does not stop the repair. */
static void save_restart_due(struct repair *repair)
{
    const struct entry *entry = repair->job.entry;

    if (entry->attempt->place.found.n_write > 0 && repair->text.n > 0)
        repair->saved = hf_manifest_record_save(entry->engine->p.env.world.fs, entry->folder,
                                                hf_buf_view(&repair->text), &repair->job.err);
}

static int run_repair(struct job *job)
{
    struct repair *repair = hf_container_of(job, struct repair, job);
    struct entry *entry = job->entry;
    struct hf_files_place *place = &entry->attempt->place;

    assert(entry->busy && place->inventory == &entry->inventory);
    assert(!place->order.prune); /* a repair removes nothing */
    place->order.repair = place->order.force = true;
    int r = make_want(entry, entry->attempt, &job->outcome);
    if (r == 0)
        r = hf_files_place_compare(place, &job->outcome);
    if (r == 0)
        r = hf_files_place_stage(place, &job->outcome);
    if (r == 0) {
        save_restart_due(repair);
        r = hf_files_place_swap(place, &job->outcome);
    }
    assert(place->found.n_adopt == 0 && place->found.n_prune == 0);
    repair->diff = place->found.diff;
    job->unreadable = make_is_unreadable(entry, entry->attempt, r);
    return r;
}

static void end_repair(struct job *job)
{
    hf_buf_done(&hf_container_of(job, struct repair, job)->text);
}

struct repair *repair_new(struct entry *entry, void (*then)(struct entry *entry, struct job *job))
{
    struct repair *repair = task_new_operation(sizeof(*repair), entry, run_repair, then, end_repair);

    if (repair == NULL)
        return NULL;
    repair->saved = 1;
    repair->text.max = HF_RECORD_MAX_BYTES;
    return repair;
}

/* At most one Event a minute: a fight over a file is no news. */
void repair_tell(struct entry *entry, const char *text)
{
    const struct hf_manifest_engine_params *p = &entry->engine->p;
    uint64_t now = hf_steer_core_now_ns(&entry->engine->core);

    hf_log(p->env.world.log, HF_LOG_WARNING, "manifest.drift_repaired", HF_S("entry", entry->name),
           HF_S("message", text));
    if (p->happened == NULL || (entry->drift.told_ns != 0 && now - entry->drift.told_ns < notice_ns))
        return;
    entry->drift.told_ns = now;
    p->happened(p->arg, HF_MANIFEST_NOTICE_DRIFT_REPAIRED, entry->name, text);
}

void repair_put_back(struct entry *entry, const char *what)
{
    char text[HF_RECORD_MESSAGE];

    hf_metric_add(entry->engine->counts.repairs, 1);
    (void)snprintf(text, sizeof(text), "put back: %s", HF_CUT(360, what));
    repair_tell(entry, text);
}
