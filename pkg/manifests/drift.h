/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/drift.h - looks for drift in what is in place, and repairs it. rules/drift_machine.h has the states.
 * Threads: loop thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manifests/rules/drift_machine.h"
#include "manifests/rules/repair_pace.h"

struct entry;
struct hf_watch;

struct entry_watch {
    struct entry *entry;
    struct hf_watch *watch;
};

/* Zeroed memory is an entry with nothing to look at. Times are monotonic. */
struct drift {
    enum hf_drift_state state;
    uint64_t due_ns;    /* from when a look that is wanted may begin; 0: at once */
    uint64_t looked_ns; /* the last look began; 0: there was none */
    uint64_t told_ns;   /* the last notice of a repair; 0: there was none */
    struct hf_repair_pace pace;
    unsigned unreadable; /* looks in a row that found nothing but files that the disk does not read */
    /* the next look is a full one (hf_files_look.full). Only an interval of the policy asks for it: whoever changes a
     * file must not make the agent read large files all the time */
    bool full;
    bool watch_stale; /* the set of folders has changed since the watches were made */
    bool unwatched;   /* a folder has no watch, so that only a look finds drift there */
    struct entry_watch *watches;
    size_t n_watches;
};

/* ---- of the struct alone ----------------------------------------------------------------------------------------- */

/* Makes the move of an event. */
void drift_move(struct drift *drift, enum hf_drift_event event);
/* Asks for a look: at once, or when a pause that has begun is over. */
void drift_want(struct drift *drift);
/* A watch has fired. A look begins at due_ns or later. Returns false if such a look was wanted already. */
bool drift_want_at(struct drift *drift, uint64_t due_ns);
/* Ends a look or repair, if one is in progress, and asks for another look from due_ns on. */
void drift_pace(struct drift *drift, uint64_t due_ns);
/* A look begins. Returns true if it is a full one. */
bool drift_begin(struct drift *drift, uint64_t now_ns);

/* ---- of an entry ------------------------------------------------------------------------------------------------- */

/* Starts a look or a repair of files, if one is due and allowed. Returns true if it has. */
bool drift_consider(struct entry *entry);
/* Records and reports a repair; `what` lists what was put back. The caller saves the record. */
void drift_repaired(struct entry *entry, const char *what);
/* The content of a Secret has come: starts to compare the files in place with it, and to repair them. Returns true if
 * it has. */
bool drift_verify(struct entry *entry);
/* drift_pace() with a growing pause. Attempts do not wait for it. The caller wakes the engine. */
void drift_look_again(struct entry *entry);
/* Watches the folders of the files in place, if watch_stale is true. */
void drift_watch(struct entry *entry);
void drift_unwatch(struct entry *entry);
