/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at files in place, puts back changed ones, and tells of it. */
#pragma once

#include "manifests/task.h"

struct entry;

/* job.unreadable: all that differs is that the disk does not read files. */
struct drift_look {
    struct job job;
    bool full; /* hf_files_look.full */
    struct hf_diff diff;
};

/* A repair of the files of entry->attempt. */
struct repair {
    struct job job;
    struct hf_buf text; /* record to write before the first change; empty: none */
    int saved;          /* `text` is on disk: 0; not written: 1; failed: -errno */
    struct hf_diff diff;
};

/* Each makes an operation for task_submit(). */
struct drift_look *repair_look_new(struct entry *entry, bool full, void (*then)(struct entry *entry, struct job *job));
struct repair *repair_new(struct entry *entry, void (*then)(struct entry *entry, struct job *job));
/* To the log, and at most once a minute as a notice. */
void repair_tell(struct entry *entry, const char *text);
/* Counts and reports a repair in Probation; leaves the record as it is. */
void repair_put_back(struct entry *entry, const char *what);
