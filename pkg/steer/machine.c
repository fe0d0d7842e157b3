/* SPDX-License-Identifier: Apache-2.0 */
#include "steer/machine.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "steer/job.h"

void hf_steer_machine_init(struct hf_steer_machine *machine, const struct hf_steer_type *type,
                           struct hf_steer_core *core)
{
    *machine = (struct hf_steer_machine){.type = type,
                                         .core = core,
                                         .awake = true,
                                         .look_ns = HF_NEVER,
                                         .text.max = type->max_bytes,
                                         .save_backoff = {.base_ns = type->save_retry_ns,
                                                          .cap_ns = type->save_retry_cap_ns,
                                                          .floor_ns = type->save_retry_ns}};
}

void hf_steer_machine_done(struct hf_steer_machine *machine)
{
    assert(machine->job == NULL);
    hf_buf_done(&machine->text);
}

/* ---- the record -------------------------------------------------------------------------------------------------- */

struct record_save {
    struct hf_steer_job job;
    struct hf_buf text;
    struct hf_err err;
};

static void is_durable(struct hf_steer_machine *machine, bool written)
{
    bool is_well = machine->type->saved == NULL || machine->type->saved(machine, written);
    unsigned action = machine->due;

    if (written && is_well)
        hf_backoff_reset(&machine->save_backoff);
    machine->unsaved = false;
    machine->due = 0;
    machine->type->act(machine, action);
    hf_steer_machine_wake(machine);
}

static void failed(struct hf_steer_machine *machine, const struct hf_err *err)
{
    struct hf_steer_core *core = machine->core;

    machine->unsaved = true;
    machine->save_due_ns = hf_steer_core_now_ns(core) + hf_backoff_next_ns(&machine->save_backoff, core->world.rng, 0);
    if (machine->type->unsaved != NULL)
        machine->type->unsaved(machine, err);
    hf_steer_machine_wake(machine);
}

static int run(struct hf_steer_job *job)
{
    struct record_save *save = hf_container_of(job, struct record_save, job);

    return job->machine->type->write(job->machine, hf_buf_view(&save->text), &save->err);
}

static void lost(struct hf_steer_job *job, int r, const char *what)
{
    (void)hf_err_sys(&hf_container_of(job, struct record_save, job)->err, r, "%s", what);
}

static void then(struct hf_steer_job *job)
{
    struct record_save *save = hf_container_of(job, struct record_save, job);

    if (job->r < 0) {
        failed(job->machine, &save->err);
        return;
    }
    hf_steer_machine_keep_text(job->machine, &save->text);
    is_durable(job->machine, true);
}

static void free_save(struct hf_steer_job *job)
{
    struct record_save *save = hf_container_of(job, struct record_save, job);

    hf_buf_done(&save->text);
    free(save);
}

static const struct hf_steer_operation saves = {.run = run, .lost = lost, .then = then, .free = free_save};

void hf_steer_machine_save(struct hf_steer_machine *machine)
{
    struct record_save *save = calloc(1, sizeof(*save));
    struct hf_err err = HF_ERR_INIT;
    int r = -ENOMEM;

    assert(machine->job == NULL);
    if (save != NULL) {
        hf_steer_job_init(&save->job, &saves, machine);
        save->text.max = machine->type->max_bytes;
        r = machine->type->format(machine, &save->text);
    }
    if (r == 0 && !hf_steer_machine_has_text(machine, &save->text)) {
        hf_steer_job_submit(&save->job);
        return;
    }
    if (save != NULL)
        free_save(&save->job);
    if (r == 0) {
        is_durable(machine, false);
        return;
    }
    (void)hf_err_sys(&err, r, "format the %s", machine->type->record);
    failed(machine, &err);
}

bool hf_steer_machine_retry(struct hf_steer_machine *machine)
{
    if (!machine->unsaved)
        return false;
    if (hf_steer_core_now_ns(machine->core) >= machine->save_due_ns)
        hf_steer_machine_save(machine);
    return true;
}

uint64_t hf_steer_machine_retry_ns(const struct hf_steer_machine *machine)
{
    return machine->unsaved && machine->job == NULL ? machine->save_due_ns : HF_NEVER;
}

bool hf_steer_machine_has_text(const struct hf_steer_machine *machine, const struct hf_buf *text)
{
    const struct hf_buf *on_disk = &machine->text;

    return text->n > 0 && text->n == on_disk->n && memcmp(text->p, on_disk->p, text->n) == 0;
}

void hf_steer_machine_keep_text(struct hf_steer_machine *machine, struct hf_buf *text)
{
    hf_buf_done(&machine->text);
    machine->text = *text;
    *text = (struct hf_buf){.max = machine->type->max_bytes};
}

void hf_steer_machine_forget_text(struct hf_steer_machine *machine)
{
    hf_buf_done(&machine->text);
    machine->text.max = machine->type->max_bytes;
}

/* ---- the move ---------------------------------------------------------------------------------------------------- */

bool hf_steer_machine_move(struct hf_steer_machine *machine, unsigned event, const void *why)
{
    const struct hf_steer_type *type = machine->type;
    struct hf_steer_move move = hf_steer_table_move(type->table, type->state(machine), event);

    if (!move.known) {
        if (type->unexpected != NULL)
            type->unexpected(machine, event);
        return false;
    }
    type->enter(machine, event, move.next, why);
    assert(type->state(machine) == move.next);
    machine->due = move.action;
    if (type->check != NULL)
        type->check(machine);
    return true;
}

void hf_steer_machine_event(struct hf_steer_machine *machine, unsigned event, const void *why)
{
    if (hf_steer_machine_move(machine, event, why))
        hf_steer_machine_save(machine);
}

/* ---- due --------------------------------------------------------------------------------------------------------- */

void hf_steer_machine_wake(struct hf_steer_machine *machine)
{
    machine->awake = true;
    hf_steer_core_wake(machine->core);
}

void hf_steer_machine_wake_in(struct hf_steer_machine *machine, uint64_t delay_ns)
{
    machine->look_ns = HF_MIN(machine->look_ns, hf_steer_core_now_ns(machine->core) + delay_ns);
    hf_steer_core_wake_in(machine->core, delay_ns);
}

bool hf_steer_machine_take_due(struct hf_steer_machine *machine, uint64_t now_ns)
{
    if (!machine->awake && machine->look_ns > now_ns) {
        if (machine->look_ns != HF_NEVER)
            hf_steer_core_wake_in(machine->core, machine->look_ns - now_ns);
        return false;
    }
    machine->awake = false;
    machine->look_ns = HF_NEVER;
    return true;
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

void hf_steer_machine_wait(struct hf_steer_machine *machine, unsigned topic, unsigned reason, const char *message)
{
    if (hf_steer_wait_set(&machine->wait, topic, reason, message))
        hf_steer_core_notify(machine->core);
}

void hf_steer_machine_wait_end(struct hf_steer_machine *machine, unsigned topic)
{
    if (hf_steer_wait_end(&machine->wait, topic))
        hf_steer_core_notify(machine->core);
}

uint64_t hf_steer_machine_pause(struct hf_steer_machine *machine, uint64_t base_ns, uint64_t cap_ns, uint64_t floor_ns,
                                uint64_t at_least_ns)
{
    struct hf_backoff *backoff = &machine->backoff;

    backoff->base_ns = base_ns;
    backoff->cap_ns = HF_MAX(cap_ns, base_ns);
    backoff->floor_ns = floor_ns;
    return hf_steer_core_now_ns(machine->core) + hf_backoff_next_ns(backoff, machine->core->world.rng, at_least_ns);
}
