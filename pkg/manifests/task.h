/* SPDX-License-Identifier: Apache-2.0 */
/* A job of an entry. An operation begins with its struct job, followed by what it takes and brings. */
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
    int (*run)(struct job *job); /* on a worker */
    /* on the loop, when the entry is not busy; not if the engine is closing */
    void (*then)(struct entry *entry, struct job *job);
    void (*end)(struct job *job); /* frees what the operation owns beside its job; NULL: nothing */
    int r;
    struct hf_err err;
    struct hf_manifest_outcome outcome;
    bool unreadable; /* by the disk, such as the set's content */
};

/* An operation of `size` bytes that begin with a struct job, the remainder zeroed. */
void *task_new_operation(size_t size, struct entry *entry, int (*run)(struct job *job),
                         void (*then)(struct entry *entry, struct job *job), void (*end)(struct job *job));
/* An operation that is only a job. */
struct job *task_new(struct entry *entry, int (*run)(struct job *job),
                     void (*then)(struct entry *entry, struct job *job));
/* The entry is busy until `then`. */
void task_submit(struct job *job);
/* Frees an operation that was not submitted. Ignores NULL. */
void task_discard(void *operation);
/* A job may start now. */
bool task_is_free(const struct entry *entry);
/* All in progress but a job. */
void task_drop(struct entry *entry);
