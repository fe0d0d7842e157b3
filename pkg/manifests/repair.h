/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at files in place, and puts back changed ones. */
#pragma once

#include "manifests/task.h"

struct entry;

/* job.unreadable: files differ only because the disk does not read them. */
struct drift_look {
    struct job job;
    bool full; /* hf_files_look.full */
    struct hf_diff diff;
};

/* Repair of the files of entry->attempt. */
struct repair {
    struct job job;
    struct hf_buf text; /* record to save before the first change, if not empty */
    int saved;          /* 0: `text` saved; 1: not; -errno: failed */
    struct hf_diff diff;
};

/* For task_submit(); NULL: no memory. */
struct drift_look *repair_look_new(struct entry *entry, bool full, void (*then)(struct entry *entry, struct job *job));
struct repair *repair_new(struct entry *entry, void (*then)(struct entry *entry, struct job *job));
/* Logs a repair; gives a notice at most once a minute. */
void repair_tell(struct entry *entry, const char *text);
/* Counts and reports a repair in Probation; the record stays. */
void repair_put_back(struct entry *entry, const char *what);
