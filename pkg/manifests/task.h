/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/task.h - a job of an entry on a worker. */
#pragma once

#include "manifests/files/look.h"
#include "manifests/outcome.h"
#include "manifests/source/bundle.h"
#include "manifests/state/record.h"
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
    struct hf_buf text;                /* a record to write, or the sealed key that the job has read */
    struct hf_bundle *bundle;          /* a content to write, or a content that the job has loaded; owned */
    json_t *names;                     /* value of r.known_names for this content; owned */
    char from[HF_SHA256_HEX];          /* hf_manifest_source_key() of the source that delivered `bundle` */
    char revision[HF_RECORD_REVISION]; /* of `bundle`; the source may deliver a newer one meanwhile */
    struct hf_diff diff;
    bool full; /* for a look: hf_files_look.full */
    /* for a rollback: the disk cannot read the backups, or the content of the good set; for an attempt or a repair: it
     * cannot read the content of the set */
    bool unreadable;
    /* for a repair: 0 if `text` is on disk, 1 if the repair has not written it, -errno if that failed */
    int saved;
    bool doubtful; /* for a rollback: it is unknown which files in place belong to somebody else */
};

/* Makes an operation of `size` bytes, whose first member is a struct job, and whose other members are 0. end(job) frees
 * what these members own; NULL if they own nothing. Returns NULL if memory runs out. */
void *task_new_operation(size_t size, struct entry *entry, int (*run)(struct job *job),
                         void (*then)(struct entry *entry, struct job *job), void (*end)(struct job *job));
/* Makes an operation that is only a job. Returns NULL if memory runs out. */
struct job *task_new(struct entry *entry, int (*run)(struct job *job),
                     void (*then)(struct entry *entry, struct job *job));
/* Passes the job to a worker. The entry is busy until `then` is called. */
void task_submit(struct job *job);
void task_discard(struct job *job);
/* Returns true if the entry may start a job now. */
bool task_is_free(const struct entry *entry);
/* Ends everything in progress except a job. */
void task_drop(struct entry *entry);
