/* SPDX-License-Identifier: Apache-2.0 */
/* The action `probe` of Files and StaticPods. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/manifest_reason.h"

/* So often a trial begins again because somebody has changed the set, or nobody could look. Then its health
 * decides. */
enum { MANIFEST_MAX_TRIAL_REPAIRS = 3 };

struct entry;
struct hf_checks;

struct entry_trial {
    struct hf_checks *checks;
    unsigned repairs;
    uint64_t refused_ns; /* since when changed items could not be put back; 0: they could */
    bool start_counted;  /* r.starts counts this process; nobody has looked at the objects yet */
    bool start_due;      /* r.starts does not count this process: the first looks got no answer */
};

void trial_start(struct entry *entry);
/* Looks again, without another restart, after a failure to put back a file. Returns whether the look has started. */
bool trial_puts_back_again(struct entry *entry);
/* Called when changed items could not be put back. Tries again until the set's deadline after the first failure, unless
 * our copy is lost. `unreadable`: the disk cannot read our copy. */
void trial_not_put_back(struct entry *entry, bool unreadable, enum hf_manifest_reason reason, const char *message);
/* Ends the attempt because our copy is lost. */
void trial_lose_content(struct entry *entry, enum hf_manifest_reason reason, const char *message);
/* Runs the health checks of entry->attempt, then looks if the set is still in place; ends the attempt. */
void trial_check(struct entry *entry);
/* No look or repair is to come: ends the attempt with its verdict. */
void trial_conclude(struct entry *entry);
/* Called when the set is not healthy. May give no verdict if somebody has changed its files. */
void trial_fail(struct entry *entry, enum hf_manifest_reason reason, const char *message);
