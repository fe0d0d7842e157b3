/* SPDX-License-Identifier: Apache-2.0 */
/* A journaled machine: an event makes a move of the table, the record of the new state becomes durable, then the action
 * starts. So every action may run again after a cut anywhere.
 *
 * The state is in the owner's record, which `enter` changes. A record whose text is on disk already is not written;
 * hf_steer_machine_retry() repeats a failed write. Free a machine only without a job in progress. */
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
    /* Changes the state in the owner's record to `next`. `why`: argument of hf_steer_machine_event() or _move(). */
    void (*enter)(struct hf_steer_machine *machine, unsigned event, unsigned next, const void *why);
    /* Appends. An error counts as a failed write. */
    int (*format)(struct hf_steer_machine *machine, struct hf_buf *text);
    /* On a worker; durable. */
    int (*write)(struct hf_steer_machine *machine, struct hf_view text, struct hf_err *err);
    void (*act)(struct hf_steer_machine *machine, unsigned action); /* action 0: none */

    /* These may be NULL. */
    void (*check)(struct hf_steer_machine *machine);                      /* assertions after each move */
    void (*unexpected)(struct hf_steer_machine *machine, unsigned event); /* nothing has changed */
    /* The record is durable (`written`: just now); `act` comes next. False: the disk fails all the same, and pauses
     * grow on. */
    bool (*saved)(struct hf_steer_machine *machine, bool written);
    /* A write has failed; hf_steer_machine_retry() repeats it at save_due_ns. */
    void (*unsaved)(struct hf_steer_machine *machine, const struct hf_err *err);
    void (*busy)(struct hf_steer_machine *machine, bool busy); /* a job begins, or has ended (before its `then`) */

    const char *record; /* name in messages */
    size_t max_bytes;
    uint64_t save_retry_ns, save_retry_cap_ns; /* first and longest pause after failed writes */
};

struct hf_steer_machine {
    const struct hf_steer_type *type;
    struct hf_steer_core *core;
    unsigned due;       /* action that waits for the record */
    struct hf_buf text; /* on disk; empty: unknown */
    struct hf_steer_job *job;
    bool awake;       /* changed since last considered */
    uint64_t look_ns; /* when time alone makes it due, or HF_NEVER */
    bool unsaved;
    uint64_t save_due_ns; /* next write, if `unsaved` */
    struct hf_backoff save_backoff, backoff;
    struct hf_steer_wait wait;
};

void hf_steer_machine_init(struct hf_steer_machine *machine, const struct hf_steer_type *type,
                           struct hf_steer_core *core);
void hf_steer_machine_done(struct hf_steer_machine *machine);

/* Moves, saves the record, then acts. No job may be in progress. */
void hf_steer_machine_event(struct hf_steer_machine *machine, unsigned event, const void *why);
/* The move, in memory, with `due`. False: the table lacks it. */
bool hf_steer_machine_move(struct hf_steer_machine *machine, unsigned event, const void *why);
/* Saves the record, then starts the action in `due`. */
void hf_steer_machine_save(struct hf_steer_machine *machine);
/* False: no write has failed. Else repeats it from save_due_ns on. No job may be in progress. */
bool hf_steer_machine_retry(struct hf_steer_machine *machine);
/* Time of the repetition, or HF_NEVER. */
uint64_t hf_steer_machine_retry_ns(const struct hf_steer_machine *machine);

/* For jobs that write the record themselves. _has_text(): is `text` on disk? _keep_text(): takes `text`, which is on
 * disk now. */
bool hf_steer_machine_has_text(const struct hf_steer_machine *machine, const struct hf_buf *text);
void hf_steer_machine_keep_text(struct hf_steer_machine *machine, struct hf_buf *text);
/* The next save writes in any case. */
void hf_steer_machine_forget_text(struct hf_steer_machine *machine);

/* For engines that consider only machines that are due. A machine is due at the start, after a job or save, and by
 * these calls. */
void hf_steer_machine_wake(struct hf_steer_machine *machine);
void hf_steer_machine_wake_in(struct hf_steer_machine *machine, uint64_t delay_ns);
/* True: the machine was due, and no longer is. False: the core wakes up when it will be due. */
bool hf_steer_machine_take_due(struct hf_steer_machine *machine, uint64_t now_ns);

/* As hf_steer_wait_set() and _end(); notifies if the status changes. */
void hf_steer_machine_wait(struct hf_steer_machine *machine, unsigned topic, unsigned reason, const char *message);
void hf_steer_machine_wait_end(struct hf_steer_machine *machine, unsigned topic);
/* End of a pause from now. Pauses grow up to cap_ns, until hf_backoff_reset(&machine->backoff); each has at least
 * floor_ns and at_least_ns. */
uint64_t hf_steer_machine_pause(struct hf_steer_machine *machine, uint64_t base_ns, uint64_t cap_ns, uint64_t floor_ns,
                                uint64_t at_least_ns);
