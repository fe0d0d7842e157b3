/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for drift, and repairs it. States: rules/drift_machine.h. */
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

/* Zeroed: nothing to look at. Times are monotonic. */
struct drift {
    enum hf_drift_state state;
    uint64_t due_ns;    /* not before; 0: at once */
    uint64_t looked_ns; /* begin of the last; 0: none */
    uint64_t told_ns;   /* last notice of a repair; 0: none */
    struct hf_repair_pace pace;
    unsigned unreadable; /* looks in a row that found only files that the disk does not read */
    /* hf_files_look.full; only an interval of the policy asks for it: whoever changes a file must not make the agent
     * read large files all the time */
    bool full;
    bool watch_stale; /* other folders since the watches were made */
    bool unwatched;   /* a folder that only a look examines */
    struct entry_watch *watches;
    size_t n_watches;
};

/* ---- of the struct alone ----------------------------------------------------------------------------------------- */

void drift_move(struct drift *drift, enum hf_drift_event event);
/* Asks for a look, at once or after the current pause. */
void drift_want(struct drift *drift);
/* A watch has fired: asks for a look from due_ns on. False: such a look was wanted already. */
bool drift_want_at(struct drift *drift, uint64_t due_ns);
/* Ends a look or repair in progress, and asks for another look from due_ns on. */
void drift_pace(struct drift *drift, uint64_t due_ns);
/* A look begins. True: a full one. */
bool drift_begin(struct drift *drift, uint64_t now_ns);

/* ---- of an entry ------------------------------------------------------------------------------------------------- */

/* Considers a look at files; true: one has started. */
bool drift_consider(struct entry *entry);
/* Records and reports a repair; `what`: was put back. The caller saves the record. */
void drift_repaired(struct entry *entry, const char *what);
/* A Secret's content has come: compares the files in place, and repairs them. True: it has started. */
bool drift_verify(struct entry *entry);
/* drift_pace() with a growing pause, for looks alone. The caller wakes the engine. */
void drift_look_again(struct entry *entry);
/* The folders of the files in place, if watch_stale. */
void drift_watch(struct entry *entry);
void drift_unwatch(struct entry *entry);
