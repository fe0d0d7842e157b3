/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for drift, and repairs it. States: rules/drift_machine.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bucket.h"
#include "base/clock.h"
#include "manifests/rules/drift_machine.h"

/* Bounds repairs of an entry: they wear flash storage and take processor time. */
enum { HF_REPAIR_BURST = 10 };
#define HF_REPAIR_GAP_NS (60 * HF_NS_PER_S)

struct entry;
struct hf_watch;

struct entry_watch {
    struct entry *entry;
    struct hf_watch *watch;
};

/* Zeroed: nothing to look at. */
struct drift {
    enum hf_drift_state state;
    uint64_t due_ns;    /* 0: at once */
    uint64_t looked_ns; /* begin of the last look */
    uint64_t told_ns;   /* last notice of a repair */
    struct hf_bucket repairs;
    unsigned unreadable; /* looks in a row that found only unreadable files */
    /* next look is full (hf_files_look.full), once per interval of the policy: changes must not make the agent read
     * large files all the time */
    bool full;
    bool watch_stale; /* folders have changed since the watches were made */
    bool unwatched;   /* watches do not cover all folders */
    struct entry_watch *watches;
    size_t n_watches;
};

/* ---- of the struct alone ----------------------------------------------------------------------------------------- */

void drift_move(struct drift *drift, enum hf_drift_event event);
/* Time until a repair may begin. */
uint64_t drift_wait_ns(const struct drift *drift, uint64_t now_ns);
void drift_spend(struct drift *drift, uint64_t now_ns); /* one repair */
/* Asks for a look, at once or after the current pause. */
void drift_want(struct drift *drift);
/* Asks for a look from due_ns on, after a watch has fired. False: already wanted. */
bool drift_want_at(struct drift *drift, uint64_t due_ns);
/* Ends a look or repair, and asks for the next look from due_ns on. */
void drift_pace(struct drift *drift, uint64_t due_ns);
/* Begins a look. True: a full one. */
bool drift_begin(struct drift *drift, uint64_t now_ns);

/* ---- of an entry ------------------------------------------------------------------------------------------------- */

/* True: a look at files, or a repair, has started. */
bool drift_consider(struct entry *entry);
/* Counts and reports a repair of `what`. The caller saves the record. */
void drift_repaired(struct entry *entry, const char *what);
/* A Secret's content has come: starts a repair, which compares the files in place. True: started. */
bool drift_verify(struct entry *entry);
/* drift_pace() with a growing pause. The caller wakes the engine. */
void drift_look_again(struct entry *entry);
/* Watches the folders of the files in place anew, if watch_stale. */
void drift_watch(struct entry *entry);
void drift_unwatch(struct entry *entry);
