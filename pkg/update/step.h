/* SPDX-License-Identifier: Apache-2.0 */
/* Internal: the step in progress of a release, and its jobs. Included by release.h. */
#pragma once

#include "update/release.h"
#include "update/state/order.h"

/* A job of a release, whose strings it borrows: the engine and its releases exist until the last job has ended. */
struct step_job {
    struct hf_steer_job job;
    struct release *release;
    enum step_kind kind;
    int (*run)(struct step_job *step); /* on the worker */
    /* on the loop thread after `run`, or without it if no worker can run the job; not if the engine is closing */
    void (*then)(struct release *release, struct step_job *step);
    struct hf_failure failure;
    /* parameters and results, as `run` needs them */
    struct hf_swap_params swap;
    struct hf_patch_params patch;
    struct hf_swap_inspection inspection;
    struct hf_room room;
    struct delta_death death;
    struct hf_swap_look look;
    struct hf_kept_params keep;     /* after a commit, and after a look that found all right */
    enum hf_kept_source kept;       /* of an inspection: where the content is on the disk */
    struct hf_buf folders;          /* of the installed version, to watch */
    char other[HF_TARGET_MAX_PATH]; /* as in struct hf_kept_want */
    char previous_sha256[HF_SHA256_HEX];
    struct hf_health health; /* to confirm */
    char ending[200];        /* of a rollback, to confirm */
    struct hf_buf text;      /* of the journal or of update/state/committed.h */
    /* in: history to merge with the floor on disk; out: the floor on disk */
    struct hf_sequence_history floor;
    /* `floor` is in the state folder; its copy below the root may be missing */
    bool floor_done;
    bool give_up;                         /* in: a journal that cannot be read is treated as damaged */
    bool lost;                            /* out: the journal was renamed for this reason */
    struct hf_edgeupdate *committed;      /* from disk; the step owns it; NULL: not read */
    struct hf_order order;                /* that ends */
    char committed_digest[HF_SHA256_HEX]; /* of the committed release that the job reads or writes */
};

/* Fill in the parameters, then call step_submit() or step_discard(). */
struct step_job *step_new(struct release *release, enum step_kind kind, int (*run)(struct step_job *step),
                          void (*then)(struct release *release, struct step_job *step));
/* If no worker takes the job, calls `then` at once, with a negative job.r. */
void step_submit(struct step_job *step);
void step_discard(struct step_job *step);
/* Also while the journal is being written. */
bool step_is_in_progress(const struct release *release);
/* For a step that is not a job: step_submit() does it for jobs. */
void step_begin(struct release *release, enum step_kind kind);
void step_end(struct release *release);
void step_stop(struct release *release); /* no effect on a restart or health checks */
/* The engine closes: no callback follows, except at the end of a job or download. */
void step_drop(struct release *release);
struct hf_target step_target(const struct release *release);
struct hf_swap_params step_swap_params(const struct release *release, const struct step_job *step);
