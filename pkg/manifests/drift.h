/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for drift, and repairs it. States: rules/drift_machine.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bucket.h"
#include "base/clock.h"
#include "manifests/rules/drift_machine.h"

/* Looks may cause HF_REPAIR_BURST repairs in a row, then one per HF_REPAIR_GAP_NS: repairs wear flash storage. */
enum { HF_REPAIR_BURST = 10 };
#define HF_REPAIR_GAP_NS (60 * HF_NS_PER_S)

struct entry;
struct hf_watch;

struct entry_watch {
    struct entry *entry;
    struct hf_watch *watch;
};

/* Zeroed: no look is wanted. */
struct drift {
    enum hf_drift_state state;
    uint64_t due_ns; /* when the next look may begin; 0: now */
    uint64_t looked_ns;
    uint64_t told_ns;
    struct hf_bucket repairs;
    unsigned unreadable; /* looks in a row that found only unreadable files */
    /* The next look is full (hf_files_look.full). */
    bool full;
    bool watch_stale; /* folders may have changed since the watches were made */
    bool unwatched;
    struct entry_watch *watches;
    size_t n_watches;
};

/* ---- of the struct alone ----------------------------------------------------------------------------------------- */

void drift_move(struct drift *drift, enum hf_drift_event event);
uint64_t drift_wait_ns(const struct drift *drift, uint64_t now_ns);
void drift_spend(struct drift *drift, uint64_t now_ns);
/* Asks for a look, at once or after the current pause. */
void drift_want(struct drift *drift);
/* Asks for a look at due_ns or later, after a watch has fired. Returns false if a look is already wanted by then. */
bool drift_want_at(struct drift *drift, uint64_t due_ns);
/* Ends a look or repair, and asks for the next look from due_ns on. */
void drift_pace(struct drift *drift, uint64_t due_ns);
/* Begins a look. Returns whether it has to be full. */
bool drift_begin(struct drift *drift, uint64_t now_ns);

/* ---- of an entry ------------------------------------------------------------------------------------------------- */

/* Starts a look at files, or a repair, if due. Returns whether one started. */
bool drift_consider(struct entry *entry);
/* Counts and reports a repair of `what`. The caller saves the record. */
void drift_repaired(struct entry *entry, const char *what);
/* Starts a repair, which compares the files in place with a Secret's content that has come. Returns whether it
 * started. */
bool drift_verify(struct entry *entry);
/* Asks for a look after a growing pause. The caller wakes the engine. */
void drift_look_again(struct entry *entry);
/* Renews the watches on the folders of the files in place, if watch_stale. */
void drift_watch(struct entry *entry);
void drift_unwatch(struct entry *entry);
