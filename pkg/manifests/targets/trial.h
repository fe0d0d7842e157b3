/* SPDX-License-Identifier: Apache-2.0 */
/* The action `probe` of Files and StaticPods. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/manifest_reason.h"

/* So often a trial begins again because somebody has changed the set, or nobody could look. Then its health decides: an
 * autoscaler, or the service itself, must not keep it on trial for ever. */
enum { MANIFEST_MAX_TRIAL_REPAIRS = 3 };

struct entry;
struct hf_checks;

/* The Probation in progress, for all targets. */
struct entry_trial {
    struct hf_checks *checks; /* NULL: none */
    unsigned repairs;         /* see MANIFEST_MAX_TRIAL_REPAIRS */
    uint64_t refused_ns;      /* monotonic: since when changed items cannot be put back; 0: they can */
    bool start_counted;       /* r.starts has this process, and nobody has looked at the objects yet */
    bool start_due;           /* r.starts lacks this process: the first looks got no answer */
};

void trial_start(struct entry *entry);
/* A changed file that could not be put back; without another restart. True: it has. */
bool trial_puts_back_again(struct entry *entry);
/* Ends the attempt: changed items on trial cannot be put back, so their health says nothing of the newest set. The
 * deadline counts from the first such failure: an attempt may take as long. `unreadable`: the disk cannot read our
 * copy, for which the set is not to blame. */
void trial_not_put_back(struct entry *entry, bool unreadable, enum hf_manifest_reason reason, const char *message);
/* Our copy is lost. Ends the attempt; the source delivers again, and the set has to pass then. */
void trial_lose_content(struct entry *entry, enum hf_manifest_reason reason, const char *message);
/* Health checks of entry->attempt, then a look if it is in place still; ends the attempt. */
void trial_check(struct entry *entry);
/* With its verdict; the caller has found it in place. */
void trial_conclude(struct entry *entry);
/* Not healthy; says nothing of the set if somebody has changed its files. */
void trial_fail(struct entry *entry, enum hf_manifest_reason reason, const char *message);
