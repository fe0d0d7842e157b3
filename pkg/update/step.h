/* SPDX-License-Identifier: Apache-2.0 */
/* update/step.h - internal: the step in progress of a release, and its jobs. Included by release.h. */
#pragma once

#include "update/release.h"

/* A job that a worker runs for a release. The job borrows strings of the release. This is safe because the engine and
 * its releases exist until the last job has ended. */
struct step_job {
    struct hf_steer_job job;
    struct release *release;
    enum step_kind kind;
    int (*run)(struct step_job *step); /* called on the worker */
    /* called on the loop thread after `run`, or without `run` if no worker can run the job; not called if the engine is
     * closing */
    void (*then)(struct release *release, struct step_job *step);
    struct hf_failure failure;
    /* Parameters and results of the job. Each `run` function uses some of these fields. */
    struct hf_swap_params swap;
    struct hf_patch_params patch;
    struct hf_swap_inspection inspection;
    struct hf_room room;
    struct delta_death death;
    struct hf_swap_look look;
    struct hf_health health; /* verdict of the health checks, to confirm */
    char ending[200];        /* how a rollback ended, to confirm */
    struct hf_buf text;      /* text of the journal, or of the file of update/state/committed.h */
    /* before the job, the history to merge with the floor on disk; after the job, the floor on disk */
    struct hf_sequence_history floor;
    /* true if `floor` is in the state folder; writing its copy below the root may nevertheless have failed */
    bool floor_done;
    bool give_up;                         /* before the job: a journal that still cannot be read counts as damaged */
    bool lost;                            /* after the job: the journal was renamed for this reason */
    struct hf_edgeupdate *committed;      /* the committed release from disk, which the step owns; NULL if not read */
    char committed_digest[HF_SHA256_HEX]; /* digest of the committed release that the job reads or writes */
};

/* Makes a job. The caller fills in the parameters, and then calls step_submit() or step_discard(). Returns NULL if
 * memory runs out. */
struct step_job *step_new(struct release *release, enum step_kind kind, int (*run)(struct step_job *step),
                          void (*then)(struct release *release, struct step_job *step));
/* Passes the job to a worker. If that fails, calls `then` at once, with a negative job.r. */
void step_submit(struct step_job *step);
void step_discard(struct step_job *step);
/* Returns true if the release has a step in progress, or its journal is being written. */
bool step_is_in_progress(const struct release *release);
/* Marks the start of a step. Call this function only for a step that is not a job; for a job, step_submit() calls
 * it. */
void step_begin(struct release *release, enum step_kind kind);
void step_end(struct release *release);
void step_stop(struct release *release); /* Asks the step to stop. Has no effect on a restart or on health checks. */
/* Cancels the step because the engine closes. Afterwards no callback of the step is called, except at the end of a job
 * or download. */
void step_drop(struct release *release);
struct hf_target step_target(const struct release *release);
struct hf_swap_params step_swap_params(const struct release *release, const struct step_job *step);
