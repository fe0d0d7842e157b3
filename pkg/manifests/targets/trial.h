/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/targets/trial.h - the action `probe` of the targets Files and StaticPods. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/manifest_reason.h"

/* Times that a trial begins again because somebody has changed the set, or because nobody could look whether somebody
 * has. After that its health decides: somebody who changes it again and again, such as an autoscaler or the service
 * itself, must not keep the set on trial for ever. */
enum { MANIFEST_MAX_TRIAL_REPAIRS = 3 };

struct entry;
struct hf_checks;

/* The Probation in progress, for all targets. */
struct entry_trial {
    struct hf_checks *checks; /* in progress; NULL: none */
    unsigned repairs;         /* see MANIFEST_MAX_TRIAL_REPAIRS */
    uint64_t refused_ns;      /* monotonic time since when changed items cannot be put back; 0: they can */
    bool start_counted;       /* r.starts has the start of this process, and nobody has looked at the objects yet */
    bool start_due;           /* r.starts lacks the start of this process, because the first looks got no answer */
};

void trial_start(struct entry *entry);
/* If a changed file could not be put back, tries that again without another restart, and returns true. */
bool trial_puts_back_again(struct entry *entry);
/* Somebody has changed items on trial, so that their health says nothing about the newest set, and they cannot
 * be put back. Ends the attempt. The deadline counts from the first such failure, because an attempt may itself take as
 * long. `unreadable`: the disk cannot read our copy of the content, for which the set is not to blame. */
void trial_not_put_back(struct entry *entry, bool unreadable, enum hf_manifest_reason reason, const char *message);
/* Our copy of the content on trial is lost. Ends the attempt; the source delivers the content again, and the
 * set has to pass then. */
void trial_lose_content(struct entry *entry, enum hf_manifest_reason reason, const char *message);
/* Runs the health checks of entry->attempt, then looks if the set is in place still, and ends the attempt. */
void trial_check(struct entry *entry);
/* Ends entry->attempt with its verdict. The caller has found the set in place. */
void trial_conclude(struct entry *entry);
/* The set of entry->attempt is not healthy, which says nothing about it if somebody has changed its files. */
void trial_fail(struct entry *entry, enum hf_manifest_reason reason, const char *message);
