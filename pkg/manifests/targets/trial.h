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
    struct hf_checks *checks; /* NULL: none */
    unsigned repairs;         /* up to MANIFEST_MAX_TRIAL_REPAIRS */
    uint64_t refused_ns;      /* first failure to put back changed items */
    bool start_counted;       /* r.starts has this process; nobody has looked at the objects yet */
    bool start_due;           /* r.starts lacks it: the first looks got no answer */
};

void trial_start(struct entry *entry);
/* Without another restart. True: a changed file, which could not be put back before, is in place again. */
bool trial_puts_back_again(struct entry *entry);
/* Ends the attempt if changed items stay changed, as their health says nothing of the newest set. The deadline counts
 * from the first failure. `unreadable`: the disk cannot read our copy: not the set's fault. */
void trial_not_put_back(struct entry *entry, bool unreadable, enum hf_manifest_reason reason, const char *message);
/* Our copy is lost: ends the attempt; the source delivers again, and the set has to pass then. */
void trial_lose_content(struct entry *entry, enum hf_manifest_reason reason, const char *message);
/* Health checks of entry->attempt, then a look if it is still in place; ends the attempt. */
void trial_check(struct entry *entry);
/* The caller has found it in place: ends the attempt with its verdict. */
void trial_conclude(struct entry *entry);
/* Not healthy; no verdict on the set if somebody has changed its files. */
void trial_fail(struct entry *entry, enum hf_manifest_reason reason, const char *message);
