/* SPDX-License-Identifier: Apache-2.0 */
/* A job of an entry. An operation is a struct that begins with its struct job. */
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
    /* on the loop thread, when the entry is idle; not called while the engine closes */
    void (*then)(struct entry *entry, struct job *job);
    void (*end)(struct job *job); /* frees what else the operation owns; may be NULL */
    int r;
    struct hf_err err;
    struct hf_manifest_outcome outcome;
    bool unreadable; /* the disk could not read a file, such as the set's content */
};

/* Makes an operation of `size` bytes, zero after its struct job. */
void *task_new_operation(size_t size, struct entry *entry, int (*run)(struct job *job),
                         void (*then)(struct entry *entry, struct job *job), void (*end)(struct job *job));
struct job *task_new(struct entry *entry, int (*run)(struct job *job),
                     void (*then)(struct entry *entry, struct job *job));
/* The entry is busy until the job ends. */
void task_submit(struct job *job);
/* Frees an operation that was not submitted; NULL is valid. */
void task_discard(void *operation);
bool task_is_free(const struct entry *entry);
void task_drop(struct entry *entry);
