#include "delta/io/jobs.h"

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/macros.h"
#include "delta/delta.h"

struct shared {
    const struct delta_jobs *jobs;
    pthread_mutex_t lock; /* of all below */
    unsigned next, failed;
    int result;
    struct hf_err err;
};

struct worker {
    struct shared *shared;
    unsigned number;
    pthread_t thread;
};

/* False: there is no more to do. */
static bool take_job(struct shared *shared, unsigned *ret_job)
{
    pthread_mutex_lock(&shared->lock);
    bool more = shared->result == 0 && shared->next < shared->jobs->n;
    if (more)
        *ret_job = shared->next++;
    pthread_mutex_unlock(&shared->lock);
    return more;
}

static void note_failure(struct shared *shared, unsigned job, int result, const struct hf_err *err)
{
    pthread_mutex_lock(&shared->lock);
    if (job < shared->failed) {
        shared->failed = job;
        shared->result = result;
        shared->err = *err;
    }
    pthread_mutex_unlock(&shared->lock);
}

static void *work(void *arg)
{
    const struct worker *worker = arg;
    const struct delta_jobs *jobs = worker->shared->jobs;
    struct hf_err err = HF_ERR_INIT;
    unsigned i;

    while (take_job(worker->shared, &i)) {
        int r = jobs->job(jobs->ctx, worker->number, i, &err);
        if (r < 0)
            note_failure(worker->shared, i, r, &err);
    }
    return NULL;
}

int delta_jobs_run(const struct delta_jobs *jobs, unsigned workers, struct hf_err *err)
{
    struct shared shared = {.jobs = jobs, .failed = UINT_MAX, .err = HF_ERR_INIT};
    struct worker worker[DELTA_WORKERS_MAX];
    unsigned started = 0;

    workers = HF_MIN(HF_MIN(workers, jobs->n), (unsigned)DELTA_WORKERS_MAX);
    for (unsigned i = 0; i < DELTA_WORKERS_MAX; i++)
        worker[i] = (struct worker){.shared = &shared, .number = i};
    pthread_mutex_init(&shared.lock, NULL);
    while (started + 1 < workers && pthread_create(&worker[started + 1].thread, NULL, work, &worker[started + 1]) == 0)
        started++;
    (void)work(&worker[0]);
    for (; started > 0; started--)
        (void)pthread_join(worker[started].thread, NULL);
    pthread_mutex_destroy(&shared.lock);
    if (shared.result < 0 && err != NULL)
        *err = shared.err;
    return shared.result;
}

unsigned delta_workers(const struct hf_delta_create_params *params)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    if (params != NULL && params->threads > 0)
        return HF_MIN(params->threads, (unsigned)DELTA_WORKERS_MAX);
    return online > 0 ? (unsigned)HF_MIN(online, (long)DELTA_WORKERS_MAX) : 1;
}
