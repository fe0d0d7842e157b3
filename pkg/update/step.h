/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "update/release.h"
#include "update/state/order.h"

/* A step that is a job. It borrows the release's strings: engine and releases outlive all jobs. */
struct step_job {
    struct hf_steer_job job;
    struct release *release;
    enum step_kind kind;
    int (*run)(struct step_job *step);
    /* Runs on the loop after `run`, or without it if no worker takes the job; not while the engine closes. */
    void (*then)(struct release *release, struct step_job *step);
    struct hf_failure failure;
    /* parameters and results of `run` */
    struct hf_swap_params swap;
    struct hf_patch_params patch;
    struct hf_swap_inspection inspection;
    struct hf_room room;
    struct delta_death death;
    struct hf_swap_look look;
    struct hf_kept_params keep; /* retain_prepare() */
    enum hf_kept_source kept;
    struct hf_buf folders;
    char other[HF_TARGET_MAX_PATH];
    char previous_sha256[HF_SHA256_HEX];
    struct hf_health health;
    char ending[200];
    struct hf_buf text;
    /* before `run`: to merge with the floor on disk; after it: the floor on disk */
    struct hf_sequence_history floor;
    /* the state folder has `floor` now; the copy below the root may lack it */
    bool floor_done;
    bool give_up; /* treat an unreadable journal as damaged */
    bool lost;
    struct hf_edgeupdate *committed; /* read from disk, owned; NULL: not read */
    struct hf_order order;
    char committed_digest[HF_SHA256_HEX];
};

/* Makes a step. Set its parameters, then call step_submit() or step_discard(). */
struct step_job *step_new(struct release *release, enum step_kind kind, int (*run)(struct step_job *step),
                          void (*then)(struct release *release, struct step_job *step));
/* Starts the step. If no worker takes the job, calls `then` at once, with job.r < 0. */
void step_submit(struct step_job *step);
void step_discard(struct step_job *step);
/* Whether a step or a write of the journal is in progress. */
bool step_is_in_progress(const struct release *release);
void step_begin(struct release *release, enum step_kind kind);
void step_end(struct release *release);
void step_stop(struct release *release); /* only for kinds from STEP_INSPECT to STEP_PATCH */
/* Drops the step because the engine closes: neither `then` nor another callback follows. */
void step_drop(struct release *release);
struct hf_target step_target(const struct release *release);
struct hf_swap_params step_swap_params(const struct release *release, const struct step_job *step);
