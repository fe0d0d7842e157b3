/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/drift.h - looks for drift in what is in place, and repairs it. */
#pragma once

#include "manifests/files/look.h"

struct entry;
struct hf_watch;

struct entry_watch {
    struct entry *entry;
    struct hf_watch *watch;
};

/* Starts a look for drift or a repair, if one is due and allowed. Returns true if it has started one. */
bool drift_consider(struct entry *entry);
/* Records and reports a repair; the text `what` lists what was repaired. The caller saves the record. */
void drift_repaired(struct entry *entry, const char *what);
/* Starts a job that compares the files in place with the content of a Secret that has just been delivered, and repairs
 * differences. Returns true if the job has started. */
bool drift_verify(struct entry *entry);
/* Makes the next look come after a growing pause. Attempts do not wait for it. The caller wakes the engine. */
void drift_look_again(struct entry *entry);
void drift_watch(struct entry *entry); /* watches the folders of the files in place, if watch_stale is true */
void drift_unwatch(struct entry *entry);
