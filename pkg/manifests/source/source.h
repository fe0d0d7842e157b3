/* SPDX-License-Identifier: Apache-2.0 */
/* The source of the files of one entry of spec.manifests: a ConfigMap, a Secret, a URL, a Flux source, or a path on the
 * node. Passes each content on as a sealed bundle; tries again by itself after a failure.
 *
 * Callbacks run from the event loop, never from within a function of this header, and may free the source. Copies
 * `known_revision` and `work_dir`, borrows `env` and `entry`. */
#pragma once

#include "api/manifest.h"
#include "api/manifest_reason.h"
#include "base/err.h"
#include "manifests/source/bundle.h"

struct hf_manifest_env; /* manifests/env.h */
struct hf_source_turns; /* manifests/source/turns.h */

struct hf_manifest_source_params {
    const struct hf_manifest_env *env;
    const struct hf_manifest *entry; /* borrowed; decoded and valid */
    /* the bounds of agent.yaml for signed entries apply */
    bool signed_;
    /* for resumable downloads; made when it is needed */
    const char *work_dir;
    /* The revision of the content that the engine has, or NULL. A content of this revision is not delivered, but
     * `unchanged`; that of a ConfigMap or Secret is delivered once after the start all the same. */
    const char *known_revision;
    /* A content, perhaps the same as before. The callee owns `bundle`. `revision` is the source's own name for it,
     * such as "main@sha1:..."; borrowed. */
    void (*delivered)(void *arg, struct hf_bundle *bundle, const char *revision);
    /* The content is still that of known_revision, or of the last delivery. May be NULL. */
    void (*unchanged)(void *arg);
    /* A failure; *err says what to do. The source tries again after retry_after_ns; 0: when the object or path
     * changes, or at the next refresh. */
    void (*failed)(void *arg, enum hf_manifest_reason reason, const struct hf_err *err, uint64_t retry_after_ns);
    /* `what` certainly does not exist; of an object of the API only the API server itself can say so. The source keeps
     * looking. */
    void (*gone)(void *arg, const char *what);
    struct hf_source_turns *turns; /* for large contents; NULL: read them at any time. Borrowed */
    /* Asked when the turn for a large content has come. False, because it would be in memory for long: the source
     * waits for hf_manifest_source_ready(). NULL: always true. */
    bool (*takes)(void *arg);
    void *arg;
};

struct hf_manifest_source;

/* Starts to follow the source. -EOPNOTSUPP: this node cannot, such as a ConfigMap without an API server; *err says
 * why. */
HF_MUST_USE int hf_manifest_source_new(const struct hf_manifest_source_params *params,
                                       struct hf_manifest_source **ret_source, struct hf_err *err);
/* Stops the source: no callback comes any more. */
void hf_manifest_source_free(struct hf_manifest_source *source);
HF_DEFINE_CLEANUP(struct hf_manifest_source, hf_manifest_source_free)
/* Looks for a newer content: once per `interval` of the policy. */
void hf_manifest_source_refresh(struct hf_manifest_source *source);
/* `takes` may return true now. */
void hf_manifest_source_ready(struct hf_manifest_source *source);
/* The link (env->link) allows downloads again. */
void hf_manifest_source_link_opened(struct hf_manifest_source *source);
