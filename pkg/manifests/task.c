/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs of an entry, and how what is in progress ends. */
#include <stdlib.h>

#include "manifests/cluster/cluster.h"
#include "manifests/entry.h"
#include "manifests/kubelet/health.h"
#include "steps/checks.h"

static struct job *of(struct hf_steer_job *at)
{
    return hf_container_of(at, struct job, job);
}

void task_discard(void *operation)
{
    struct job *job = operation;

    if (job == NULL)
        return;
    hf_manifest_outcome_done(&job->outcome);
    if (job->end != NULL)
        job->end(job);
    free(job);
}

static int run(struct hf_steer_job *at)
{
    of(at)->r = of(at)->run(of(at));
    return of(at)->r;
}

static void lost(struct hf_steer_job *at, int r, const char *what)
{
    struct job *job = of(at);

    job->r = job->outcome.r = hf_err_sys(&job->err, r, "%s", what);
    job->outcome.reason = HF_MANIFEST_REASON_WRITE_FAILED;
}

static void then(struct hf_steer_job *at)
{
    of(at)->then(of(at)->entry, of(at));
}

static void free_job(struct hf_steer_job *at)
{
    task_discard(of(at));
}

void *task_new_operation(size_t size, struct entry *entry, int (*run_job)(struct job *job),
                         void (*then_job)(struct entry *entry, struct job *job), void (*end)(struct job *job))
{
    static const struct hf_steer_operation operation = {.run = run, .lost = lost, .then = then, .free = free_job};
    struct job *job = calloc(1, size);

    if (job == NULL)
        return NULL;
    hf_steer_job_init(&job->job, &operation, &entry->machine);
    job->entry = entry;
    job->run = run_job;
    job->then = then_job;
    job->end = end;
    return job;
}

struct job *task_new(struct entry *entry, int (*run_job)(struct job *job),
                     void (*then_job)(struct entry *entry, struct job *job))
{
    return task_new_operation(sizeof(struct job), entry, run_job, then_job, NULL);
}

bool task_is_free(const struct entry *entry)
{
    return !entry->busy && entry->engine->core.active == NULL;
}

void task_submit(struct job *job)
{
    hf_steer_job_submit(&job->job);
}

void task_drop(struct entry *entry)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;

    if (entry->proc_call != NULL)
        env->proc->cancel(env->proc->ctx, hf_steal(entry->proc_call));
    if (entry->unit.call != NULL)
        env->unit->cancel(env->unit->ctx, hf_steal(entry->unit.call));
    free(hf_steal(entry->unit.to_reload));
    hf_checks_free(hf_steal(entry->trial.checks));
    hf_cluster_run_free(hf_steal(entry->cluster.run));
    hf_kubelet_health_free(hf_steal(entry->pods.health));
    hf_kubelet_health_free(hf_steal(entry->pods.again));
}
