/* SPDX-License-Identifier: Apache-2.0 */
/* A journaled machine: an event makes a move of the table, the record of the new state becomes durable, and only then
 * the action starts. So every action may run again after a cut anywhere.
 *
 * The state is in the owner's record, which `enter` changes. A text that is on disk is not written again; a failed
 * write is repeated after a pause. The owner may free a machine only when none of its jobs is in progress. */
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

struct hf_steer_type {
    const struct hf_steer_table *table;
    unsigned (*state)(struct hf_steer_machine *machine);
    /* Changes the owner's record for the new state, with `next` itself; it still has the old one. `why` is the argument
     * of hf_steer_machine_event(). */
    void (*enter)(struct hf_steer_machine *machine, unsigned event, unsigned next, const void *why);
    /* Appends the record's text. An error is a failed write. */
    int (*format)(struct hf_steer_machine *machine, struct hf_buf *text);
    /* Durable. On a worker. */
    int (*write)(struct hf_steer_machine *machine, struct hf_view text, struct hf_err *err);
    void (*act)(struct hf_steer_machine *machine, unsigned action); /* the record is durable; action 0: none */

    /* The rest may be NULL. */
    void (*check)(struct hf_steer_machine *machine);                      /* asserts after each move */
    void (*unexpected)(struct hf_steer_machine *machine, unsigned event); /* to log it; nothing has changed */
    /* The record is durable (`written`: just now), and `act` comes next. False: the disk fails all the same, so that
     * the pause after the next failure is longer still. */
    bool (*saved)(struct hf_steer_machine *machine, bool written);
    /* Until save_due_ns, when hf_steer_machine_retry() tries again. */
    void (*unsaved)(struct hf_steer_machine *machine, const struct hf_err *err);
    void (*busy)(struct hf_steer_machine *machine, bool busy); /* a job begins, or has ended, before its `then` */

    const char *record;                        /* its name in messages, such as "journal" */
    size_t max_bytes;                          /* of its text */
    uint64_t save_retry_ns, save_retry_cap_ns; /* first and longest pause after a failed write */
};

struct hf_steer_machine {
    const struct hf_steer_type *type;
    struct hf_steer_core *core;
    unsigned due;             /* the action that waits for the record */
    struct hf_buf text;       /* on disk; empty: unknown */
    struct hf_steer_job *job; /* in progress, or NULL */
    bool awake;               /* something has changed since it was last considered */
    uint64_t look_ns;         /* when time alone makes it due; HF_NEVER: not */
    bool unsaved;
    uint64_t save_due_ns; /* of the next write, if `unsaved` */
    struct hf_backoff save_backoff, backoff;
    struct hf_steer_wait wait;
};

void hf_steer_machine_init(struct hf_steer_machine *machine, const struct hf_steer_type *type,
                           struct hf_steer_core *core);
void hf_steer_machine_done(struct hf_steer_machine *machine); /* no job in progress */

/* Move, record and action. No job may be in progress. */
void hf_steer_machine_event(struct hf_steer_machine *machine, unsigned event, const void *why);
/* Only the move, in memory, with `due`. False: not expected. */
bool hf_steer_machine_move(struct hf_steer_machine *machine, unsigned event, const void *why);
/* Record and due action, after a change without a move. */
void hf_steer_machine_save(struct hf_steer_machine *machine);
/* False: the record needs no further write. Otherwise writes it if its time has come. No job may be in progress. */
bool hf_steer_machine_retry(struct hf_steer_machine *machine);
/* When to call that again, or HF_NEVER. */
uint64_t hf_steer_machine_retry_ns(const struct hf_steer_machine *machine);

/* For an owner's job that writes the record itself: the disk has this text, already or now. Keeping empties `text`. */
bool hf_steer_machine_has_text(const struct hf_steer_machine *machine, const struct hf_buf *text);
void hf_steer_machine_keep_text(struct hf_steer_machine *machine, struct hf_buf *text);
/* The next save writes whatever the disk has. */
void hf_steer_machine_forget_text(struct hf_steer_machine *machine);

/* For an engine with many machines, which considers only those that are due: a machine is due from the start, after the
 * end of its job or a save, and after these calls. The core looks at the same time. */
void hf_steer_machine_wake(struct hf_steer_machine *machine);
void hf_steer_machine_wake_in(struct hf_steer_machine *machine, uint64_t delay_ns);
/* Returns true if the machine is due, which ends with this call. Otherwise the core looks again when it will be. */
bool hf_steer_machine_take_due(struct hf_steer_machine *machine, uint64_t now_ns);

/* hf_steer_wait_set() and _end() on `wait`; notifies if the status changes. */
void hf_steer_machine_wait(struct hf_steer_machine *machine, unsigned topic, unsigned reason, const char *message);
void hf_steer_machine_wait_end(struct hf_steer_machine *machine, unsigned topic);
/* End of a pause that begins now: each is longer, up to cap_ns, until hf_backoff_reset(&machine->backoff), and at least
 * floor_ns and at_least_ns. */
uint64_t hf_steer_machine_pause(struct hf_steer_machine *machine, uint64_t base_ns, uint64_t cap_ns, uint64_t floor_ns,
                                uint64_t at_least_ns);
