/* SPDX-License-Identifier: Apache-2.0 */
/* The action `probe` of Files and StaticPods. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/manifest_reason.h"

/* How often a trial begins again because somebody has changed the set, or nobody could look. Then its health decides:
 * an autoscaler, or the service itself, must not keep it on trial for ever. */
enum { MANIFEST_MAX_TRIAL_REPAIRS = 3 };

struct entry;
struct hf_checks;

/* In progress, for all targets. */
struct entry_trial {
    struct hf_checks *checks;
    unsigned repairs;
    uint64_t refused_ns; /* first failure to put back changed items */
    bool start_counted;  /* r.starts has this process; nobody has looked at the objects yet */
    bool start_due;      /* r.starts lacks it: the first looks got no answer */
};

void trial_start(struct entry *entry);
/* After a failure to put back a file: looks again, without another restart. True: the look has started. */
bool trial_puts_back_again(struct entry *entry);
/* Changed items could not be put back, so their health says nothing of the set. Tries again until the set's deadline
 * after the first failure; then ends the attempt. `unreadable`: the disk cannot read our copy: not the set's fault. */
void trial_not_put_back(struct entry *entry, bool unreadable, enum hf_manifest_reason reason, const char *message);
/* Our copy is lost: ends the attempt; the source delivers again, and the set has to pass then. */
void trial_lose_content(struct entry *entry, enum hf_manifest_reason reason, const char *message);
/* Health checks of entry->attempt, then a look if the set is still in place; ends the attempt. */
void trial_check(struct entry *entry);
/* The caller has found the set in place: ends the attempt with its verdict. */
void trial_conclude(struct entry *entry);
/* The set is not healthy; no verdict if somebody has changed its files. */
void trial_fail(struct entry *entry, enum hf_manifest_reason reason, const char *message);
