/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/repair.h - looks at the files in place, puts back those that somebody has changed, and tells of it. */
#pragma once

#include "manifests/task.h"

struct entry;

/* A look at the files in place. job.unreadable: files differ only because the disk reads none. */
struct drift_look {
    struct job job;
    bool full; /* hf_files_look.full */
    struct hf_diff diff;
};

/* A repair of the files of entry->attempt. */
struct repair {
    struct job job;
    struct hf_buf text; /* the record to write before the first file changes; empty: none */
    int saved;          /* 0 if `text` is on disk, 1 if the repair has not written it, -errno if that failed */
    struct hf_diff diff;
};

/* Each makes an operation for task_submit(). NULL: memory ran out. */
struct drift_look *repair_look_new(struct entry *entry, bool full, void (*then)(struct entry *entry, struct job *job));
/* Puts back the files of the set of entry->attempt that somebody has changed. */
struct repair *repair_new(struct entry *entry, void (*then)(struct entry *entry, struct job *job));
/* Logs a repair and, at most once a minute, reports it. */
void repair_tell(struct entry *entry, const char *text);
/* Counts and reports a repair during Probation. Leaves the record as it is. */
void repair_put_back(struct entry *entry, const char *what);
