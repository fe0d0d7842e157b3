/* SPDX-License-Identifier: Apache-2.0 */
/* steer/machine.h - a journaled machine: an event makes a move of the table, the record of the new state becomes durable
 * on disk, and only then the action starts. So every action may run again after a cut anywhere.
 *
 * The state is in the owner's record, which `enter` changes. A record whose text is on disk already is not written
 * again. A write that fails is tried again after a pause, and the action waits for it.
 *
 * Threads: loop thread only, except hf_steer_type.write. Memory: a machine is a part of the owner's thing (an update, an
 * entry); the owner frees that only when no job of the machine is in progress. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/buf.h"
#include "base/err.h"
#include "steer/core.h"
#include "steer/table.h"
#include "steer/wait.h"

struct hf_steer_job;
struct hf_steer_machine;

/* What an owner gives: a table, five functions, and what it wants to know besides. */
struct hf_steer_type {
    const struct hf_steer_table *table;
    unsigned (*state)(struct hf_steer_machine *machine);
    /* Changes the owner's record as the new state asks for, `next` itself included. It still has the old state in the
     * record. `why` is the argument of hf_steer_machine_event(). */
    void (*enter)(struct hf_steer_machine *machine, unsigned event, unsigned next, const void *why);
    /* Appends the text of the record. Negative errno: counts as a write that failed. */
    int (*format)(struct hf_steer_machine *machine, struct hf_buf *text);
    /* Makes the text durable. Called on a worker. */
    int (*write)(struct hf_steer_machine *machine, struct hf_view text, struct hf_err *err);
    void (*act)(struct hf_steer_machine *machine, unsigned action); /* the record is durable; action 0 is "none" */

    /* The rest may be NULL. */
    void (*check)(struct hf_steer_machine *machine); /* asserts what must hold; called after each move */
    void (*unexpected)(struct hf_steer_machine *machine, unsigned event); /* to log it; nothing has changed */
    /* The record is durable, and `act` comes next; `written`: by a write just now. Returns false if the disk counts as
     * failing all the same, so that the pause after the next failure is longer still. */
    bool (*saved)(struct hf_steer_machine *machine, bool written);
    /* The record could not be written. save_due_ns is the time of the next attempt; hf_steer_machine_retry() makes it. */
    void (*unsaved)(struct hf_steer_machine *machine, const struct hf_err *err);
    void (*busy)(struct hf_steer_machine *machine,
                 bool busy); /* a job begins, or has ended and its `then` comes next */

    const char *record;                        /* what messages call the record, such as "journal" */
    size_t max_bytes;                          /* of the record's text */
    uint64_t save_retry_ns, save_retry_cap_ns; /* first and longest pause after a write that failed */
};

struct hf_steer_machine {
    const struct hf_steer_type *type;
    struct hf_steer_core *core;
    unsigned due;             /* the action that starts when the record is durable */
    struct hf_buf text;       /* of the record on disk; empty if unknown */
    struct hf_steer_job *job; /* in progress; NULL if there is none */
    bool unsaved;             /* the last write failed */
    uint64_t save_due_ns;     /* monotonic time of the next attempt to write; valid if `unsaved` */
    struct hf_backoff save_backoff, backoff;
    struct hf_steer_wait wait;
};

void hf_steer_machine_init(struct hf_steer_machine *machine, const struct hf_steer_type *type,
                           struct hf_steer_core *core);
void hf_steer_machine_done(struct hf_steer_machine *machine); /* no job may be in progress */

/* Makes the move, the record and the action of an event. No job may be in progress. */
void hf_steer_machine_event(struct hf_steer_machine *machine, unsigned event, const void *why);
/* Makes only the move, in memory, and sets `due`. Returns false if the event is not expected. */
bool hf_steer_machine_move(struct hf_steer_machine *machine, unsigned event, const void *why);
/* Makes the present record durable, then starts the action that is due. For a record that has changed without a move. */
void hf_steer_machine_save(struct hf_steer_machine *machine);
/* Returns false if the record needs no further attempt. Otherwise makes it if its time has come. No job may be in
 * progress. */
bool hf_steer_machine_retry(struct hf_steer_machine *machine);
/* Returns the monotonic time at which to call that again, or HF_NEVER. */
uint64_t hf_steer_machine_retry_ns(const struct hf_steer_machine *machine);

/* For a job of the owner that writes the record itself: whether the disk has this text, and that it has it now. Keeping
 * takes the bytes of `text`, and leaves it empty. */
bool hf_steer_machine_has_text(const struct hf_steer_machine *machine, const struct hf_buf *text);
void hf_steer_machine_keep_text(struct hf_steer_machine *machine, struct hf_buf *text);
/* Frees the text: the next save writes the record whatever the disk has. */
void hf_steer_machine_forget_text(struct hf_steer_machine *machine);

/* hf_steer_wait_set() and hf_steer_wait_end() on `wait`; the engine notifies if the status shows something else now. */
void hf_steer_machine_wait(struct hf_steer_machine *machine, unsigned topic, unsigned reason, const char *message);
void hf_steer_machine_wait_end(struct hf_steer_machine *machine, unsigned topic);
/* Returns the monotonic time at which a pause ends that begins now. Each one is longer than the one before, up to
 * cap_ns, until hf_backoff_reset(&machine->backoff); none is shorter than floor_ns or at_least_ns. */
uint64_t hf_steer_machine_pause(struct hf_steer_machine *machine, uint64_t base_ns, uint64_t cap_ns, uint64_t floor_ns,
                                uint64_t at_least_ns);
