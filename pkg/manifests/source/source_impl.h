/* SPDX-License-Identifier: Apache-2.0 */
/* What all kinds of sources share. A kind's struct begins with a struct hf_manifest_source. It
 * has at most one job, and lives until that has ended. */
#pragma once

#include "base/backoff.h"
#include "loop/sched.h"
#include "manifests/env.h"
#include "manifests/source/failure.h"
#include "manifests/source/source.h"

#define HF_SOURCE_HANGS_NS (300 * HF_NS_PER_S)

struct hf_manifest_source_kind {
    const char *name;
    size_t size;
    /* May be NULL. The struct is zero after its first member; the timer calls `turn` soon after. */
    int (*start)(struct hf_manifest_source *source, struct hf_err *err);
    void (*turn)(struct hf_manifest_source *source); /* looks for content now; NULL: the kind looks by itself */
    /* Called when a job takes longer than HF_SOURCE_HANGS_NS. NULL: no job may hang (struct hf_job). */
    void (*hangs)(struct hf_manifest_source *source);
    void (*refresh)(struct hf_manifest_source *source);
    /* NULL: contents are small. */
    void (*ready)(struct hf_manifest_source *source);
    /* Called when a job of an open source has ended. `cancelled` != 0: it did not run. NULL: the kind submits no
     * jobs. */
    void (*worked)(struct hf_manifest_source *source, int cancelled);
    /* Stops what the kind has started, except jobs; before `done`. May be NULL. */
    void (*stop)(struct hf_manifest_source *source);
    void (*done)(struct hf_manifest_source *source); /* frees members; no job runs; may be NULL */
};

struct hf_manifest_source {
    const struct hf_manifest_source_kind *kind;
    /* `entry` is borrowed; after a delivery only `revision` below is valid, not p.known_revision */
    struct hf_manifest_source_params p;
    char *work_dir;
    char *revision;
    struct hf_timer *timer;
    struct hf_backoff backoff;
    struct hf_job job;
    bool busy, freed;
    bool held; /* waits for hf_manifest_source_link_opened() */
};

extern const struct hf_manifest_source_kind hf_source_folder_kind;
extern const struct hf_manifest_source_kind hf_source_url_kind;
extern const struct hf_manifest_source_kind hf_source_config_map_kind; /* ConfigMaps and Secrets */
extern const struct hf_manifest_source_kind hf_source_flux_kind;

HF_MUST_USE int hf_source_open(const struct hf_manifest_source_kind *kind,
                               const struct hf_manifest_source_params *params, struct hf_manifest_source **ret_source,
                               struct hf_err *err);
void hf_source_close(struct hf_manifest_source *source);
/* Starts a job: `work`, then `worked`. Reports a job that cannot start. */
void hf_source_submit(struct hf_manifest_source *source, void (*work)(struct hf_job *job));
/* Calls `turn` after delay_ns, unless a job runs then; replaces an earlier request. */
void hf_source_again(struct hf_manifest_source *source, uint64_t delay_ns);

/* These three may call the owner, which may free the source: return at once. */

void hf_source_unchanged(struct hf_manifest_source *source);
void hf_source_deliver(struct hf_manifest_source *source, struct hf_bundle *bundle, const char *revision);
/* Calls `failed`, or `gone` for SourceGone. `retry`: `turn` follows after a growing pause, at least at_least_ns. */
void hf_source_report(struct hf_manifest_source *source, const struct hf_source_failure *failure, bool retry,
                      uint64_t at_least_ns);
