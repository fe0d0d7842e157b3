/* agent/diskq.h - what must reach the disk, in order, on a worker thread.
 *
 * One job at a time takes everything that waits. A newer write of the same thing replaces the waiting one and goes to the end,
 * so what waits is bounded by what exists. A resume mark is never written while an object of its kind from before it is not on
 * the disk: what failed (disk full) waits, with its marks, for hf_diskq_retry(); what can never succeed (a name or size the
 * cache refuses) is dropped and takes its kind's marks with it, so that the next start asks for everything again.
 * Loop thread only. Everything handed in is copied. */
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
    struct hf_cache *cache; /* the queue's alone from now on, until it is idle */
    struct hf_log *log;
    struct hf_metrics *metrics;
    void (*moved)(void *arg); /* a job ended */
    void *arg;
};

struct hf_diskq;
struct hf_diskq *hf_diskq_new(const struct hf_diskq_params *params); /* NULL on OOM */
/* What waits is dropped; a job on its way ends by itself (and frees cache and queue, which it owns by then). */
void hf_diskq_free(struct hf_diskq *queue);
HF_DEFINE_CLEANUP(struct hf_diskq, hf_diskq_free)

void hf_diskq_put(struct hf_diskq *queue, const char *kind, const json_t *object);
void hf_diskq_remove(struct hf_diskq *queue, const char *kind, const char *name);
void hf_diskq_mark(struct hf_diskq *queue, const char *kind, const struct hf_cache_resume *mark);
void hf_diskq_write(struct hf_diskq *queue, const char *path, struct hf_view text); /* durable replacement, 0600 */
void hf_diskq_erase(struct hf_diskq *queue, const char *path);

void hf_diskq_retry(struct hf_diskq *queue);      /* try again what failed */
bool hf_diskq_idle(const struct hf_diskq *queue); /* nothing waits (but failures) and nothing is on its way */
bool hf_diskq_failing(const struct hf_diskq *queue, char *text, size_t n); /* the last failure, for a person */
