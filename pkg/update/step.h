/* SPDX-License-Identifier: Apache-2.0 */
/* Internal: a release's step in progress, and its jobs. Included by release.h. */
#pragma once

#include "update/release.h"
#include "update/state/order.h"

/* Borrows the release's strings: engine and releases outlive all jobs. */
struct step_job {
    struct hf_steer_job job;
    struct release *release;
    enum step_kind kind;
    int (*run)(struct step_job *step); /* on the worker */
    /* on the loop, after `run` or without it if no worker takes the job; not while the engine closes */
    void (*then)(struct release *release, struct step_job *step);
    struct hf_failure failure;
    /* as `run` needs them */
    struct hf_swap_params swap;
    struct hf_patch_params patch;
    struct hf_swap_inspection inspection;
    struct hf_room room;
    struct delta_death death;
    struct hf_swap_look look;
    struct hf_kept_params keep;     /* after a commit, or a look without drift */
    enum hf_kept_source kept;       /* where an inspection found the content */
    struct hf_buf folders;          /* installed version's, to watch */
    char other[HF_TARGET_MAX_PATH]; /* as in struct hf_kept_want */
    char previous_sha256[HF_SHA256_HEX];
    struct hf_health health; /* to confirm */
    char ending[200];        /* of a rollback, to confirm */
    struct hf_buf text;      /* journal, or update/state/committed.h */
    /* in: to merge with the floor on disk; out: the floor on disk */
    struct hf_sequence_history floor;
    /* the state folder has `floor`; the copy below the root may lack it */
    bool floor_done;
    bool give_up;                         /* in: treat an unreadable journal as damaged */
    bool lost;                            /* out: so it was renamed */
    struct hf_edgeupdate *committed;      /* owned, from disk; NULL: not read */
    struct hf_order order;                /* that ends */
    char committed_digest[HF_SHA256_HEX]; /* committed release to read or write */
};

/* Then set the parameters, and call step_submit() or step_discard(). */
struct step_job *step_new(struct release *release, enum step_kind kind, int (*run)(struct step_job *step),
                          void (*then)(struct release *release, struct step_job *step));
/* If no worker takes it, calls `then` at once, with job.r < 0. */
void step_submit(struct step_job *step);
void step_discard(struct step_job *step);
/* True also during a write of the journal. */
bool step_is_in_progress(const struct release *release);
/* For steps without a job; step_submit() begins the others. */
void step_begin(struct release *release, enum step_kind kind);
void step_end(struct release *release);
void step_stop(struct release *release); /* no effect on a restart or health checks */
/* The engine closes: no callback follows, except of jobs and downloads. */
void step_drop(struct release *release);
struct hf_target step_target(const struct release *release);
struct hf_swap_params step_swap_params(const struct release *release, const struct step_job *step);
