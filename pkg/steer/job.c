/* SPDX-License-Identifier: Apache-2.0 */
#include "steer/job.h"

#include <assert.h>
#include <errno.h>

static void work(struct hf_job *at)
{
    struct hf_steer_job *job = hf_container_of(at, struct hf_steer_job, job);

    job->r = job->operation->run(job);
}

static void end(struct hf_steer_job *job)
{
    struct hf_steer_machine *machine = job->machine;
    struct hf_steer_core *core = machine->core;

    assert(machine->job == job);
    machine->job = NULL;
    machine->awake = true;
    if (machine->type->busy != NULL)
        machine->type->busy(machine, false);
    if (core->engine->one_job) { /* the others may have waited for it */
        core->active = core->active == machine ? NULL : core->active;
        hf_steer_core_wake(core);
    }
    if (!core->closing)
        job->operation->then(job);
    job->operation->free(job);
    hf_steer_core_unref(core);
}

static void lose(struct hf_steer_job *job, int r, const char *what)
{
    job->r = r;
    job->operation->lost(job, r, what);
}

static void done(struct hf_job *at, int cancelled)
{
    struct hf_steer_job *job = hf_container_of(at, struct hf_steer_job, job);

    if (cancelled)
        lose(job, -ECANCELED, "work");
    end(job);
}

void hf_steer_job_init(struct hf_steer_job *job, const struct hf_steer_operation *operation,
                       struct hf_steer_machine *machine)
{
    *job = (struct hf_steer_job){.job = {.work = work, .done = done}, .operation = operation, .machine = machine};
}

void hf_steer_job_submit(struct hf_steer_job *job)
{
    struct hf_steer_machine *machine = job->machine;
    struct hf_steer_core *core = machine->core;

    assert(machine->job == NULL);
    machine->job = job;
    if (core->engine->one_job)
        core->active = machine;
    if (machine->type->busy != NULL)
        machine->type->busy(machine, true);
    hf_steer_core_ref(core);
    if (core->inline_) {
        work(&job->job);
        end(job);
        return;
    }
    /* Not into job->r: the worker may have written its result there by now. */
    int r = hf_job_submit(core->world.sched, &job->job);
    if (r < 0) {
        lose(job, r, "hand work to a worker");
        end(job);
    }
}

void hf_steer_job_cancel(struct hf_steer_job *job)
{
    if (job != NULL)
        atomic_store(&job->cancel, true);
}
