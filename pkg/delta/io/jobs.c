/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/io/jobs.h"

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/macros.h"
#include "delta/delta.h"

struct job_queue {
    const struct delta_jobs *jobs;
    pthread_mutex_t lock; /* protects the fields below */
    unsigned next, failed;
    int result;
    struct hf_err err;
};

struct job_worker {
    struct job_queue *queue;
    unsigned number;
    pthread_t thread;
};

/* False: no jobs remain. */
static bool take_job(struct job_queue *queue, unsigned *ret_job)
{
    pthread_mutex_lock(&queue->lock);
    bool more = queue->result == 0 && queue->next < queue->jobs->n;
    if (more)
        *ret_job = queue->next++;
    pthread_mutex_unlock(&queue->lock);
    return more;
}

static void note_failure(struct job_queue *queue, unsigned job, int result, const struct hf_err *err)
{
    pthread_mutex_lock(&queue->lock);
    if (job < queue->failed) {
        queue->failed = job;
        queue->result = result;
        queue->err = *err;
    }
    pthread_mutex_unlock(&queue->lock);
}

static void *work(void *arg)
{
    const struct job_worker *worker = arg;
    const struct delta_jobs *jobs = worker->queue->jobs;
    struct hf_err err = HF_ERR_INIT;
    unsigned i;

    while (take_job(worker->queue, &i)) {
        int r = jobs->job(jobs->ctx, worker->number, i, &err);
        if (r < 0)
            note_failure(worker->queue, i, r, &err);
    }
    return NULL;
}

int delta_jobs_run(const struct delta_jobs *jobs, unsigned workers, struct hf_err *err)
{
    struct job_queue queue = {.jobs = jobs, .failed = UINT_MAX, .err = HF_ERR_INIT};
    struct job_worker worker[DELTA_WORKERS_MAX];
    unsigned started = 0;

    workers = HF_MIN(HF_MIN(workers, jobs->n), (unsigned)DELTA_WORKERS_MAX);
    for (unsigned i = 0; i < DELTA_WORKERS_MAX; i++)
        worker[i] = (struct job_worker){.queue = &queue, .number = i};
    pthread_mutex_init(&queue.lock, NULL);
    while (started + 1 < workers && pthread_create(&worker[started + 1].thread, NULL, work, &worker[started + 1]) == 0)
        started++;
    (void)work(&worker[0]);
    for (; started > 0; started--)
        (void)pthread_join(worker[started].thread, NULL);
    pthread_mutex_destroy(&queue.lock);
    if (queue.result < 0 && err != NULL)
        *err = queue.err;
    return queue.result;
}

unsigned delta_workers(const struct hf_delta_create_params *params)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    if (params != NULL && params->threads > 0)
        return HF_MIN(params->threads, (unsigned)DELTA_WORKERS_MAX);
    return online > 0 ? (unsigned)HF_MIN(online, (long)DELTA_WORKERS_MAX) : 1;
}
