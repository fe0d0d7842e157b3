/* agent/diskq.h - a queue of writes to the disk, carried out in order on a worker thread.
 *
 * One job runs at a time and takes all waiting writes. A newer write of the same object or file replaces the waiting
 * one and goes to the end, so the number of objects bounds the queue. A resume point waits until every earlier
 * object of its kind is on the disk. A write that failed (disk full) waits, with the resume points of its kind, for
 * hf_diskq_retry(). The queue drops a write that can never succeed (the cache refuses its name or size). It then
 * saves no more resume points of that kind, so the next start lists everything. Loop thread only. The queue copies
 * its arguments. */
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

/* Returns NULL if out of memory; the cache then stays the caller's. */
struct hf_diskq *hf_diskq_new(const struct hf_diskq_params *params);

/* Drops all waiting writes. A running job continues to its end and then frees queue and cache. */
void hf_diskq_free(struct hf_diskq *queue);
HF_DEFINE_CLEANUP(struct hf_diskq, hf_diskq_free)

void hf_diskq_put(struct hf_diskq *queue, const char *kind, const json_t *object);
void hf_diskq_remove(struct hf_diskq *queue, const char *kind, const char *name);
void hf_diskq_set_resume(struct hf_diskq *queue, const char *kind, const struct hf_cache_resume *resume);

/* Replace a file durably, with mode 0600; remove a file. */
void hf_diskq_write(struct hf_diskq *queue, const char *path, struct hf_view text);
void hf_diskq_erase(struct hf_diskq *queue, const char *path);

/* Tries failed writes again. */
void hf_diskq_retry(struct hf_diskq *queue);

/* Returns true if no write waits or runs. Failed writes do not count. */
bool hf_diskq_idle(const struct hf_diskq *queue);

/* Copies the text of the last failure into text[n]. Returns false if there is none. */
bool hf_diskq_failing(const struct hf_diskq *queue, char *text, size_t n);
