/* SPDX-License-Identifier: Apache-2.0 */
/* Writes to disk in order, on a worker. A resume point waits for earlier writes of its kind. A failed write is repeated
 * at the next write, or by hf_diskq_retry(), unless it can never succeed. Arguments are copied. */
#pragma once

#include <stdbool.h>

#include "cache/cache.h"
#include "loop/world.h"
#include "web/metrics.h"

/* Suffix of the kind under which the cache keeps refused versions. */
#define HF_DISKQ_REFUSED "Refused"

struct hf_diskq_params {
    struct hf_world world;
    struct hf_cache *cache; /* owned */
    void (*changed)(void *arg);
    void *arg;
};

struct hf_diskq;

/* Returns NULL without memory; the caller then keeps the cache. */
struct hf_diskq *hf_diskq_new(const struct hf_diskq_params *params);

/* Drops waiting writes; a running job ends later. Accepts NULL. */
void hf_diskq_free(struct hf_diskq *queue);
HF_DEFINE_CLEANUP(struct hf_diskq, hf_diskq_free)

void hf_diskq_put(struct hf_diskq *queue, const char *kind, const json_t *object);
void hf_diskq_remove(struct hf_diskq *queue, const char *kind, const char *name);
void hf_diskq_set_resume(struct hf_diskq *queue, const char *kind, const struct hf_cache_resume *resume);

/* Replaces a file, durably, with mode 0600. */
void hf_diskq_write(struct hf_diskq *queue, const char *path, struct hf_view text);
void hf_diskq_erase(struct hf_diskq *queue, const char *path);

void hf_diskq_retry(struct hf_diskq *queue);

/* Whether no write runs or waits, except failed ones. */
bool hf_diskq_idle(const struct hf_diskq *queue);

/* Whether a write of the last job failed, or a new write found no memory. text[n] gets the failure, or "". */
bool hf_diskq_failing(const struct hf_diskq *queue, char *text, size_t n);

/* Whether a write of the last job failed with EROFS. */
bool hf_diskq_is_read_only(const struct hf_diskq *queue);
