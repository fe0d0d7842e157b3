/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at files in place, and puts back changed ones. */
#pragma once

#include "manifests/task.h"

struct entry;

/* job.unreadable: files differ only because the disk cannot read them. */
struct drift_look {
    struct job job;
    bool full;
    struct hf_diff diff;
};

struct repair {
    struct job job;
    struct hf_buf text; /* record to save before the first change, if not empty */
    int saved;          /* result of saving `text`: 0, -errno, or 1 if it was not tried */
    struct hf_diff diff;
};

/* For task_submit(). NULL: no memory. */
struct drift_look *repair_look_new(struct entry *entry, bool full, void (*then)(struct entry *entry, struct job *job));
struct repair *repair_new(struct entry *entry, void (*then)(struct entry *entry, struct job *job));
/* Logs a repair; gives a notice at most once a minute. */
void repair_tell(struct entry *entry, const char *text);
/* Counts and reports a repair in Probation; leaves the record as it is. */
void repair_put_back(struct entry *entry, const char *what);
