/* SPDX-License-Identifier: Apache-2.0 */
/* What all kinds of sources share; private to this folder. Each kind has a struct that begins with a struct
 * hf_manifest_source. A source has at most one job, and its memory lasts until that has ended. Threads: loop thread
 * only, except the `work` function of a job. */
#pragma once

#include "base/backoff.h"
#include "loop/sched.h"
#include "manifests/env.h"
#include "manifests/source/failure.h"
#include "manifests/source/source.h"

#define HF_SOURCE_HANGS_NS (300 * HF_NS_PER_S)

struct hf_manifest_source_kind {
    const char *name; /* for the log */
    size_t size;      /* of its struct */
    /* Prepares the struct, which is zero after its first member. `turn` comes soon after. */
    int (*start)(struct hf_manifest_source *source, struct hf_err *err);
    void (*turn)(struct hf_manifest_source *source); /* look at the source now */
    /* A job has not ended after HF_SOURCE_HANGS_NS. NULL: none may hang (struct hf_job). */
    void (*hangs)(struct hf_manifest_source *source);
    void (*refresh)(struct hf_manifest_source *source);
    /* hf_manifest_source_ready(). NULL: the contents are small. */
    void (*ready)(struct hf_manifest_source *source);
    /* A job has ended. `cancelled` is not 0: its `work` did not run. */
    void (*worked)(struct hf_manifest_source *source, int cancelled);
    /* Stops what the kind has started, except jobs. Called once, before `done`. May be NULL. */
    void (*stop)(struct hf_manifest_source *source);
    void (*done)(struct hf_manifest_source *source); /* frees the members; no job runs */
};

struct hf_manifest_source {
    const struct hf_manifest_source_kind *kind;
    /* `entry` is borrowed; `work_dir` and `revision` below are copies: use these. */
    struct hf_manifest_source_params p;
    char *work_dir;
    char *revision; /* of the content that the engine has; NULL: none */
    struct hf_timer *timer;
    struct hf_backoff backoff;
    struct hf_job job;
    bool busy, freed;
    bool held; /* waits for hf_manifest_source_link_opened() */
};

extern const struct hf_manifest_source_kind hf_source_folder_kind;     /* folder.c */
extern const struct hf_manifest_source_kind hf_source_url_kind;        /* url.c */
extern const struct hf_manifest_source_kind hf_source_config_map_kind; /* config_map.c; also Secrets */
extern const struct hf_manifest_source_kind hf_source_flux_kind;       /* flux.c */

/* As hf_manifest_source_new() and hf_manifest_source_free(). */
HF_MUST_USE int hf_source_open(const struct hf_manifest_source_kind *kind,
                               const struct hf_manifest_source_params *params, struct hf_manifest_source **ret_source,
                               struct hf_err *err);
void hf_source_close(struct hf_manifest_source *source);
/* Runs `work` in a job, then `worked`. If the job cannot start, reports that. */
void hf_source_submit(struct hf_manifest_source *source, void (*work)(struct hf_job *job));
/* Calls `turn` after delay_ns, in the place of an earlier request; not if a job runs then. */
void hf_source_again(struct hf_manifest_source *source, uint64_t delay_ns);

/* The next three call the owner, which may free the source: return at once. */

/* The content is still the known one. */
void hf_source_unchanged(struct hf_manifest_source *source);
/* Passes a bundle on; the owner owns it. */
void hf_source_deliver(struct hf_manifest_source *source, struct hf_bundle *bundle, const char *revision);
/* Calls `failed`, or `gone` for SourceGone. `retry`: also calls `turn` after a growing pause of at_least_ns or more. */
void hf_source_report(struct hf_manifest_source *source, const struct hf_source_failure *failure, bool retry,
                      uint64_t at_least_ns);
