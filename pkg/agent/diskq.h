/* agent/diskq.h - a queue of writes to the disk, carried out in order on a worker thread.
 *
 * One job runs at a time and takes all waiting writes. A new write replaces a waiting write of the same object or file
 * and goes to the end of the queue, so the number of objects bounds the queue. A resume point waits until every earlier
 * object of its kind is on the disk. A write that failed (for example: disk full) waits, together with the resume
 * points of its kind, until the next write or hf_diskq_retry() starts a job. The queue drops a write that can never
 * succeed (the cache refuses its name or size). After such a loss, the queue empties all further resume points of that
 * kind, so that the next start lists the whole kind. Loop thread only. The queue copies its arguments. */
#pragma once

#include <stdbool.h>

#include "base/fs.h"
#include "base/log.h"
#include "cache/cache.h"
#include "loop/sched.h"
#include "web/metrics.h"

struct hf_diskq_params {
    const struct hf_fs_ops *fs;
    const struct hf_sched_ops *sched;
    struct hf_cache *cache; /* owned by the queue: nobody else may use it */
    struct hf_log *log;
    struct hf_metrics *metrics;
    void (*changed)(void *arg); /* a job has ended */
    void *arg;
};

struct hf_diskq;

/* Returns NULL if out of memory; the caller then still owns the cache. */
struct hf_diskq *hf_diskq_new(const struct hf_diskq_params *params);

/* Drops all waiting writes. A running job continues to its end; after that, queue and cache are freed. */
void hf_diskq_free(struct hf_diskq *queue);
HF_DEFINE_CLEANUP(struct hf_diskq, hf_diskq_free)

void hf_diskq_put(struct hf_diskq *queue, const char *kind, const json_t *object);
void hf_diskq_remove(struct hf_diskq *queue, const char *kind, const char *name);
void hf_diskq_set_resume(struct hf_diskq *queue, const char *kind, const struct hf_cache_resume *resume);

/* Write or remove a file: hf_diskq_write() replaces the file durably, with mode 0600. */
void hf_diskq_write(struct hf_diskq *queue, const char *path, struct hf_view text);
void hf_diskq_erase(struct hf_diskq *queue, const char *path);

/* Tries failed writes again. */
void hf_diskq_retry(struct hf_diskq *queue);

/* Returns true if no write waits for its first attempt, and no job runs. Failed writes do not count. */
bool hf_diskq_idle(const struct hf_diskq *queue);

/* Copies the text of the last failure into text[n]. Returns false if the last job had no failure. */
bool hf_diskq_failing(const struct hf_diskq *queue, char *text, size_t n);
