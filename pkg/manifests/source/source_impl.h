/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/source/source_impl.h - the code that all kinds of sources share. Private to pkg/manifests/source.
 *
 * Each kind has a struct of its own that begins with a struct hf_manifest_source, and a table of functions. A source
 * runs at most one job at a time. If the owner frees a source while its job runs, the memory stays valid until the job
 * has ended. Threads: loop thread only, except that the `work` function of a job runs on a worker. */
#pragma once

#include "base/backoff.h"
#include "loop/sched.h"
#include "manifests/env.h"
#include "manifests/source/failure.h"
#include "manifests/source/source.h"

#define HF_SOURCE_HANGS_NS (300 * HF_NS_PER_S)

struct hf_manifest_source_kind {
    const char *name; /* for the log */
    size_t size;      /* size in bytes of the struct of this kind */
    /* Prepares the struct, which is zero except for its first member, the struct hf_manifest_source. The source calls
     * `turn` soon after. */
    int (*start)(struct hf_manifest_source *source, struct hf_err *err);
    void (*turn)(struct hf_manifest_source *source); /* the timer has fired: look at the source now */
    /* NULL, or the jobs of this kind may hang (struct hf_job). The source calls this if a job has not ended after
     * HF_SOURCE_HANGS_NS. */
    void (*hangs)(struct hf_manifest_source *source);
    void (*refresh)(struct hf_manifest_source *source);
    /* As hf_manifest_source_ready(). NULL if the contents of this kind are small. */
    void (*ready)(struct hf_manifest_source *source);
    /* Called after a job of hf_source_submit(). `cancelled` is nonzero if the job's `work` function did not run. */
    void (*worked)(struct hf_manifest_source *source, int cancelled);
    /* Stops what the kind has started, except jobs; called once, before `done`. May be NULL. */
    void (*stop)(struct hf_manifest_source *source);
    void (*done)(struct hf_manifest_source *source); /* frees the members of the struct; called when no job runs */
};

struct hf_manifest_source {
    const struct hf_manifest_source_kind *kind;
    /* Copy of the owner's parameters; `entry` is borrowed. Use the members `work_dir` and `revision` below in place of
     * p.work_dir and p.known_revision: p.known_revision is valid only until the first delivery. */
    struct hf_manifest_source_params p;
    char *work_dir;
    char *revision; /* revision of the content that the engine has; NULL if there is none */
    struct hf_timer *timer;
    struct hf_backoff backoff;
    struct hf_job job;
    bool busy, freed;
    bool held; /* the source waits until the link allows downloads (hf_manifest_source_link_opened()) */
};

extern const struct hf_manifest_source_kind hf_source_folder_kind;     /* folder.c */
extern const struct hf_manifest_source_kind hf_source_url_kind;        /* url.c */
extern const struct hf_manifest_source_kind hf_source_config_map_kind; /* config_map.c; also Secrets */
extern const struct hf_manifest_source_kind hf_source_flux_kind;       /* flux.c */

/* The next two functions make and free a source of one kind. For errors and callbacks, see hf_manifest_source_new() and
 * hf_manifest_source_free(). */
HF_MUST_USE int hf_source_open(const struct hf_manifest_source_kind *kind,
                               const struct hf_manifest_source_params *params, struct hf_manifest_source **ret_source,
                               struct hf_err *err);
void hf_source_close(struct hf_manifest_source *source);
/* Runs `work` in a job, then calls the kind's `worked`. If the job cannot start, reports a failure with
 * hf_source_report(). */
void hf_source_submit(struct hf_manifest_source *source, void (*work)(struct hf_job *job));
/* Calls `turn` of the kind after delay_ns. Replaces an earlier request that has not led to a call yet. If a job runs at
 * that time, the call does not come. */
void hf_source_again(struct hf_manifest_source *source, uint64_t delay_ns);

/* Each of the next three functions calls one callback of the owner, which may free the source. So return at once after
 * the call. */

/* Reports that nothing has changed. */
void hf_source_unchanged(struct hf_manifest_source *source);
/* Passes a bundle to the owner, who then owns it. */
void hf_source_deliver(struct hf_manifest_source *source, struct hf_bundle *bundle, const char *revision);
/* Reports a failure by calling `failed`, or `gone` if the reason is SourceGone. If `retry` is true, also calls `turn`
 * of the kind after a growing pause of `at_least_ns` or more. */
void hf_source_report(struct hf_manifest_source *source, const struct hf_source_failure *failure, bool retry,
                      uint64_t at_least_ns);
