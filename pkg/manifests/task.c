/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs of an entry, and how what is in progress ends. */
#include <errno.h>
#include <stdlib.h>

#include "manifests/entry.h"

static void do_job(struct hf_job *at)
{
    struct job *job = hf_container_of(at, struct job, job);

    job->r = job->run(job);
}

void task_discard(struct job *job)
{
    if (job == NULL)
        return;
    hf_buf_done(&job->text);
    hf_bundle_free(job->bundle);
    json_decref(job->names);
    hf_manifest_outcome_done(&job->outcome);
    free(job);
}

/* The status has the number of files; a step that comes after the job may not change what else it has. */
static void count_files(struct entry *entry)
{
    size_t n = hf_inventory_files(&entry->inventory);

    if (n != entry->n_files)
        manifest_engine_notify(entry->engine);
    entry->n_files = n;
}

static void finish(struct job *job)
{
    struct entry *entry = job->entry;
    struct hf_manifest_engine *engine = entry->engine;

    entry->busy = false;
    entry->job = NULL;
    count_files(entry);
    if (engine->active == entry)
        engine->active = NULL;
    if (!engine->closing) {
        job->then(entry, job);
        manifest_engine_wake(engine);
    }
    task_discard(job);
    manifest_engine_unref(engine);
}

static void job_done(struct hf_job *at, int cancelled)
{
    struct job *job = hf_container_of(at, struct job, job);

    if (cancelled) {
        job->r = job->outcome.r = hf_err_sys(&job->err, -ECANCELED, "work");
        job->outcome.reason = HF_MANIFEST_REASON_WRITE_FAILED;
    }
    finish(job);
}

struct job *task_new(struct entry *entry, int (*run)(struct job *job),
                     void (*then)(struct entry *entry, struct job *job))
{
    struct job *job = calloc(1, sizeof(*job));

    if (job == NULL)
        return NULL;
    job->job = (struct hf_job){.work = do_job, .done = job_done};
    job->entry = entry;
    job->run = run;
    job->then = then;
    job->saved = 1;
    job->text.max = HF_RECORD_MAX_BYTES;
    return job;
}

bool task_is_free(const struct entry *entry)
{
    return !entry->busy && entry->engine->active == NULL;
}

void task_submit(struct job *job)
{
    struct entry *entry = job->entry;
    struct hf_manifest_engine *engine = entry->engine;
    const struct hf_sched_ops *sched = engine->p.env.sched;

    entry->busy = true;
    entry->job = job;
    engine->active = entry;
    manifest_engine_ref(engine);
    if (engine->inline_) {
        do_job(&job->job);
        finish(job);
        return;
    }
    /* Not into job->r: the worker may have written its result there by now. */
    int r = sched->submit(sched->ctx, &job->job);
    if (r < 0) {
        job->r = job->outcome.r = hf_err_sys(&job->err, r, "hand work to a worker");
        job->outcome.reason = HF_MANIFEST_REASON_WRITE_FAILED;
        finish(job);
    }
}

void task_drop(struct entry *entry)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;

    if (entry->proc_call != NULL)
        env->proc->cancel(env->proc->ctx, entry->proc_call);
    if (entry->unit_call != NULL)
        env->unit->cancel(env->unit->ctx, entry->unit_call);
    free(hf_steal(entry->unit_to_reload));
    hf_checks_free(entry->checks);
    hf_cluster_run_free(entry->run);
    hf_kubelet_health_free(entry->pod_health);
    entry->pod_health = NULL;
    hf_kubelet_health_free(hf_steal(entry->pod_again));
    entry->run = NULL;
    entry->proc_call = NULL;
    entry->unit_call = NULL;
    entry->checks = NULL;
}
