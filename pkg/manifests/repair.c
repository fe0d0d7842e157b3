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

int repair_run_look(struct job *job)
{
    struct entry *entry = job->entry;
    const struct hf_manifest_env *env = &entry->engine->p.env;
    struct hf_files_look look = {.fs = env->fs,
                                 .host_root = env->host_root,
                                 .inventory = &entry->inventory,
                                 .now_unix_ns = hf_unix_ns(env->clock),
                                 .full = job->full};
    int r = hf_files_look_for_drift(&look, &job->err);

    job->diff = look.diff;
    job->unreadable = r == 0 && look.n_unreadable > 0 && look.n_unreadable == look.diff.n;
    return r;
}

/* Makes durable that a restart of the unit is due, because a power cut may come between the swap and the restart. A
 * state folder that is full or read-only does not stop the repair. */
static void save_restart_due(struct job *job)
{
    if (job->entry->attempt->place.n_write > 0 && job->text.n > 0)
        job->saved = hf_manifest_record_save(job->entry->engine->p.env.fs, job->entry->folder, hf_buf_view(&job->text),
                                             &job->err);
}

int repair_run(struct job *job)
{
    struct entry *entry = job->entry;
    struct hf_files_place *place = &entry->attempt->place;

    assert(entry->busy && place->inventory == &entry->inventory);
    place->repair = place->force = true;
    int r = make_want(entry, entry->attempt, &job->outcome);
    if (r == 0)
        r = hf_files_place_compare(place, &job->outcome);
    if (r == 0)
        r = hf_files_place_stage(place, &job->outcome);
    if (r == 0) {
        save_restart_due(job);
        r = hf_files_place_swap(place, &job->outcome);
    }
    job->diff = place->diff;
    job->unreadable = make_is_unreadable(entry, entry->attempt, r);
    return r;
}

/* At most one Event a minute: a fight over a file is no news. */
void repair_tell(struct entry *entry, const char *text)
{
    const struct hf_manifest_engine_params *p = &entry->engine->p;
    uint64_t now = manifest_engine_now(entry->engine);

    hf_log(p->env.log, HF_LOG_WARNING, "manifest.drift_repaired", HF_S("entry", entry->name), HF_S("message", text));
    if (p->happened == NULL || (entry->drift.told_ns != 0 && now - entry->drift.told_ns < notice_ns))
        return;
    entry->drift.told_ns = now;
    p->happened(p->arg, HF_MANIFEST_NOTICE_DRIFT_REPAIRED, entry->name, text);
}

void repair_put_back(struct entry *entry, const char *what)
{
    char text[HF_RECORD_MESSAGE];

    hf_manifest_counts_repair(&entry->engine->counts);
    (void)snprintf(text, sizeof(text), "put back: %s", HF_CUT(360, what));
    repair_tell(entry, text);
}
