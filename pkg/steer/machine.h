/* SPDX-License-Identifier: Apache-2.0 */
/* A state machine with a journal: an event makes a move of the table, the record of the new state becomes durable, then
 * the action starts. So every action may run again after a power cut.
 *
 * The state is in the owner's record, which `enter` changes. A record that is unchanged on disk is not written again.
 * Free a machine only without a job in progress. */
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
    /* Changes the state in the owner's record to `next`. `why`: as passed to hf_steer_machine_event() or _move(). */
    void (*enter)(struct hf_steer_machine *machine, unsigned event, unsigned next, const void *why);
    /* Appends the record's text. An error counts as a failed write. */
    int (*format)(struct hf_steer_machine *machine, struct hf_buf *text);
    /* Writes the record durably, usually on a worker. */
    int (*write)(struct hf_steer_machine *machine, struct hf_view text, struct hf_err *err);
    void (*act)(struct hf_steer_machine *machine, unsigned action); /* starts an action; 0: none */

    /* From here to `busy`, members may be NULL. */
    void (*check)(struct hf_steer_machine *machine);
    /* the table lacks the event; nothing has changed */
    void (*unexpected)(struct hf_steer_machine *machine, unsigned event);
    /* The record is durable (`written`: just now), and `act` follows. Returns false if the disk fails all the same, so
     * that pauses go on growing. */
    bool (*saved)(struct hf_steer_machine *machine, bool written);
    /* A write has failed, and will be repeated. */
    void (*unsaved)(struct hf_steer_machine *machine, const struct hf_err *err);
    void (*busy)(struct hf_steer_machine *machine, bool busy);

    const char *record;
    size_t max_bytes;
    uint64_t save_retry_ns, save_retry_cap_ns;
};

struct hf_steer_machine {
    const struct hf_steer_type *type;
    struct hf_steer_core *core;
    unsigned due;       /* action that waits for the record */
    struct hf_buf text; /* text of the record on disk; empty: unknown */
    struct hf_steer_job *job;
    bool awake;       /* something changed since it was last considered */
    uint64_t look_ns; /* when time alone makes it due, or HF_NEVER */
    bool unsaved;
    uint64_t save_due_ns;
    struct hf_backoff save_backoff, backoff;
    struct hf_steer_wait wait;
};

void hf_steer_machine_init(struct hf_steer_machine *machine, const struct hf_steer_type *type,
                           struct hf_steer_core *core);
void hf_steer_machine_done(struct hf_steer_machine *machine);

/* Makes the move, saves the record, then starts the action. The machine must have no job. */
void hf_steer_machine_event(struct hf_steer_machine *machine, unsigned event, const void *why);
/* Makes the move in memory, and leaves the action in `due`. Returns false if the table lacks the event. */
bool hf_steer_machine_move(struct hf_steer_machine *machine, unsigned event, const void *why);
void hf_steer_machine_save(struct hf_steer_machine *machine);
/* Repeats a failed write, but not before save_due_ns. Returns false if no write has failed. The machine must have no
 * job. */
bool hf_steer_machine_retry(struct hf_steer_machine *machine);
uint64_t hf_steer_machine_retry_ns(const struct hf_steer_machine *machine);

/* For jobs that write the record themselves. _has_text(): whether `text` is on disk. _keep_text(): takes over `text`,
 * which is on disk now. */
bool hf_steer_machine_has_text(const struct hf_steer_machine *machine, const struct hf_buf *text);
void hf_steer_machine_keep_text(struct hf_steer_machine *machine, struct hf_buf *text);
/* Makes the next save write in any case. */
void hf_steer_machine_forget_text(struct hf_steer_machine *machine);

/* Make a machine due, for engines that consider only due machines. A machine is also due at the start, and after a job
 * or save. */
void hf_steer_machine_wake(struct hf_steer_machine *machine);
void hf_steer_machine_wake_in(struct hf_steer_machine *machine, uint64_t delay_ns);
/* Returns whether the machine is due, and makes it not due. If it is not, the core will wake up in time. */
bool hf_steer_machine_take_due(struct hf_steer_machine *machine, uint64_t now_ns);

/* Do what hf_steer_wait_set() and _end() do; notify if the status changes. */
void hf_steer_machine_wait(struct hf_steer_machine *machine, unsigned topic, unsigned reason, const char *message);
void hf_steer_machine_wait_end(struct hf_steer_machine *machine, unsigned topic);
/* Returns when a pause ends that begins now. Until hf_backoff_reset(&machine->backoff), pauses grow up to cap_ns, and
 * last at least floor_ns and at_least_ns. */
uint64_t hf_steer_machine_pause(struct hf_steer_machine *machine, uint64_t base_ns, uint64_t cap_ns, uint64_t floor_ns,
                                uint64_t at_least_ns);
