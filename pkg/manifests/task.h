/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/task.h - a job of an entry on a worker. An operation has a struct job for its first member, and what it
 * takes and brings beside it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "manifests/outcome.h"
#include "steer/job.h"

struct entry;

struct job {
    struct hf_steer_job job;
    struct entry *entry;
    int (*run)(struct job *job); /* called on a worker */
    /* called on the loop thread, when the entry is no longer busy; not called if the engine is closing */
    void (*then)(struct entry *entry, struct job *job);
    void (*end)(struct job *job); /* frees what the operation owns beside its job; NULL if it owns nothing */
    int r;
    struct hf_err err;
    struct hf_manifest_outcome outcome;
    bool unreadable; /* the disk cannot read what the operation needs, such as the content of the set */
};

/* Makes an operation of `size` bytes, whose first member is a struct job, and whose other members are 0. end(job) frees
 * what these members own; NULL: nothing. Returns NULL if memory runs out. */
void *task_new_operation(size_t size, struct entry *entry, int (*run)(struct job *job),
                         void (*then)(struct entry *entry, struct job *job), void (*end)(struct job *job));
/* Makes an operation that is only a job. Returns NULL if memory runs out. */
struct job *task_new(struct entry *entry, int (*run)(struct job *job),
                     void (*then)(struct entry *entry, struct job *job));
/* Passes the job to a worker. The entry is busy until `then` is called. */
void task_submit(struct job *job);
/* Frees an operation that was not submitted. Ignores NULL. */
void task_discard(void *operation);
/* Returns true if the entry may start a job now. */
bool task_is_free(const struct entry *entry);
/* Ends everything in progress except a job. */
void task_drop(struct entry *entry);
