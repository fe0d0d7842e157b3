/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/repair.h - looks at the files in place, puts back those that somebody has changed, and tells of it. */
#pragma once

struct entry;
struct job;

/* Looks at the files in place, and sets job->diff. */
int repair_run_look(struct job *job);
/* Puts back the files of the set of entry->attempt that somebody has changed, and sets job->diff. If job->text is not
 * empty, writes it as the record before that, and sets job->saved. */
int repair_run(struct job *job);
/* Logs a repair and, at most once a minute, reports it. */
void repair_tell(struct entry *entry, const char *text);
/* Counts and reports a repair during Probation. Leaves the record as it is. */
void repair_put_back(struct entry *entry, const char *what);
