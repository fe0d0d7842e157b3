/* SPDX-License-Identifier: Apache-2.0 */
/* Where the files of one entry of spec.manifests come from: ConfigMap, Secret, URL, Flux source, or path. Delivers each
 * content as a sealed bundle; retries by itself.
 *
 * Callbacks come from the event loop or hf_manifest_source_ready(), and may free the source (`takes` may not). Copies
 * `known_revision` and `work_dir`, borrows `env` and `entry`. */
#pragma once

#include "api/manifest.h"
#include "api/manifest_reason.h"
#include "base/err.h"
#include "manifests/source/bundle.h"

struct hf_manifest_env;
struct hf_source_turns;

struct hf_manifest_source_params {
    const struct hf_manifest_env *env;
    const struct hf_manifest *entry; /* borrowed; valid */
    /* bounds of agent.yaml for signed entries apply */
    bool signed_;
    /* folder for resumable downloads; made if needed */
    const char *work_dir;
    /* Revision that the engine has, or NULL. While the source still has it, `unchanged` is called instead of
     * `delivered`. A ConfigMap or Secret is delivered once after the start all the same. */
    const char *known_revision;
    /* Delivers a content, perhaps the same as before. The callee owns `bundle`. `revision`: the source's name for it,
     * such as "main@sha1:..."; borrowed. */
    void (*delivered)(void *arg, struct hf_bundle *bundle, const char *revision);
    /* The content is that of known_revision, or of the last delivery. May be NULL. */
    void (*unchanged)(void *arg);
    /* No content could be had; *err says what to do. The source retries after retry_after_ns; 0: when object or path
     * changes, or perhaps at the next refresh. */
    void (*failed)(void *arg, enum hf_manifest_reason reason, const struct hf_err *err, uint64_t retry_after_ns);
    /* `what` does not exist (for objects, the API server says so). The source keeps looking. */
    void (*gone)(void *arg, const char *what);
    struct hf_source_turns *turns; /* for large contents; borrowed; NULL: no turns */
    /* Whether the engine takes a large content now; asked when the turn for it comes. False: the source waits for
     * hf_manifest_source_ready(). NULL: always true. */
    bool (*takes)(void *arg);
    void *arg;
};

struct hf_manifest_source;

/* -EOPNOTSUPP: this node cannot follow it, such as a ConfigMap without an API server. */
HF_MUST_USE int hf_manifest_source_new(const struct hf_manifest_source_params *params,
                                       struct hf_manifest_source **ret_source, struct hf_err *err);
/* No callback follows. */
void hf_manifest_source_free(struct hf_manifest_source *source);
HF_DEFINE_CLEANUP(struct hf_manifest_source, hf_manifest_source_free)
/* Looks for new content; called once per `interval` of the policy. */
void hf_manifest_source_refresh(struct hf_manifest_source *source);
/* Called when `takes` may return true. */
void hf_manifest_source_ready(struct hf_manifest_source *source);
void hf_manifest_source_link_opened(struct hf_manifest_source *source);
