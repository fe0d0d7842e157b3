/* SPDX-License-Identifier: Apache-2.0 */
/* agent/diskq.h - a queue of disk writes, which a worker thread carries out in order.
 *
 * At most one job runs at a time. A job takes all waiting writes. A new write replaces a waiting write of the same
 * object, file or resume point, and goes to the end of the queue. So the number of objects, files and kinds bounds the
 * length of the queue. A resume point waits until all writes of objects of its kind that came before it are on disk,
 * including the writes of refused versions (HF_DISKQ_REFUSED).
 *
 * A failed write (for example because the disk is full) waits in the queue, together with the resume points of its
 * kind, until the next write or hf_diskq_retry() starts a job. If the cache refuses the name or the size of an object,
 * the write of the object can never succeed, and the queue drops this write. If memory runs out, a new write is lost,
 * and hf_diskq_failing() reports this. After the queue has dropped or lost the write of an object, it saves only empty
 * resume points of the object's kind, and also empties those that already wait. So the agent lists the whole kind at
 * its next start.
 *
 * Threads: loop thread only. Memory: the queue copies its arguments. */
#pragma once

#include <stdbool.h>

#include "base/fs.h"
#include "base/log.h"
#include "cache/cache.h"
#include "loop/sched.h"
#include "web/metrics.h"

/* Suffix of the kind under which the cache keeps refused versions: "EdgeUpdateRefused" for refused EdgeUpdates. */
#define HF_DISKQ_REFUSED "Refused"

struct hf_diskq_params {
    const struct hf_fs_ops *fs;
    const struct hf_sched_ops *sched;
    struct hf_cache *cache; /* cache to write to; the queue owns the cache, and no other code may use it */
    struct hf_log *log;
    struct hf_metrics *metrics;
    void (*changed)(void *arg); /* called when a job has ended */
    void *arg;
};

struct hf_diskq;

/* Makes a queue. Returns NULL if memory runs out; the caller then still owns the cache. */
struct hf_diskq *hf_diskq_new(const struct hf_diskq_params *params);

/* Drops all waiting writes, and frees queue and cache. If a job is running, the queue and the cache are freed when that
 * job has ended. */
void hf_diskq_free(struct hf_diskq *queue);
HF_DEFINE_CLEANUP(struct hf_diskq, hf_diskq_free)

void hf_diskq_put(struct hf_diskq *queue, const char *kind, const json_t *object);
void hf_diskq_remove(struct hf_diskq *queue, const char *kind, const char *name);
void hf_diskq_set_resume(struct hf_diskq *queue, const char *kind, const struct hf_cache_resume *resume);

/* hf_diskq_write() replaces a file durably by `text`, with mode 0600. hf_diskq_erase() removes a file. */
void hf_diskq_write(struct hf_diskq *queue, const char *path, struct hf_view text);
void hf_diskq_erase(struct hf_diskq *queue, const char *path);

/* Starts a job that tries the failed writes again. */
void hf_diskq_retry(struct hf_diskq *queue);

/* Returns true if no job runs and no write waits, except writes that have failed and wait for another try. */
bool hf_diskq_idle(const struct hf_diskq *queue);

/* Returns true if a write of the last job failed, or if memory ran out since then and a write was lost; text[n] then
 * describes the failure. Otherwise returns false, and text[n] is "". */
bool hf_diskq_failing(const struct hf_diskq *queue, char *text, size_t n);

/* Returns true if at least one write of the last job failed because the file system is read-only. */
bool hf_diskq_is_read_only(const struct hf_diskq *queue);
