/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/source/source.h - the source of the files of one entry of spec.manifests: a ConfigMap, a Secret, a URL, a
 * Flux source, or a path on the node. The node follows the source as long as the entry exists.
 *
 * A source reads its files in jobs, and passes each content to its owner as a sealed bundle. After a failure, a source
 * tries again by itself: after a growing pause, when the watched object changes, or at the next refresh. A source never
 * removes installed files; these stay in place until the engine has a newer content.
 *
 * Threads: loop thread only. The callbacks run from the event loop, never from within a function of this header. A
 * callback may free the source. Memory: a source copies `known_revision` and `work_dir`, and borrows `env` and `entry`
 * until hf_manifest_source_free(). */
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
    /* true if the entry is signed; the node's configuration then applies its bounds for signed entries */
    bool signed_;
    /* folder of this entry for resumable downloads; a source that downloads makes the folder if it is missing */
    const char *work_dir;
    /* The revision of the content that the engine already has, or NULL. While the content has this revision, the source
     * delivers nothing and calls `unchanged`. Exception: a ConfigMap or a Secret is always delivered once after the
     * start. */
    const char *known_revision;
    /* Called with each content, even if it is the same content as before; the engine compares digests. The callee owns
     * `bundle`. `revision` is the source's own name for the content ("<resourceVersion>", "main@sha1:...",
     * "sha256:..."); it is borrowed. */
    void (*delivered)(void *arg, struct hf_bundle *bundle, const char *revision);
    /* Called when the source has checked that the content is still the one of known_revision or of the last delivery.
     * May be NULL. */
    void (*unchanged)(void *arg);
    /* Called after a failure; the text in *err says what to do. The source tries again by itself after retry_after_ns.
     * If retry_after_ns is 0, the source tries again when the object or the path changes, or at the next refresh. */
    void (*failed)(void *arg, enum hf_manifest_reason reason, const struct hf_err *err, uint64_t retry_after_ns);
    /* Called when the ConfigMap, the Secret, the Flux source, the path or the file behind the URL certainly does not
     * exist; `what` names the missing thing. For objects of the API, only an answer of the API server itself is
     * certain. The source keeps looking for the missing thing. */
    void (*gone)(void *arg, const char *what);
    struct hf_source_turns *turns; /* for contents that may be large; NULL: read them at any time. Borrowed */
    /* Asked when the turn for a large content has come. If it returns false, because the owner would have to keep the
     * content in memory for long, the source waits for hf_manifest_source_ready(). NULL means always true. */
    bool (*takes)(void *arg);
    void *arg;
};

struct hf_manifest_source;

/* Starts to follow the source of an entry. -ENOMEM: out of memory. -EOPNOTSUPP: this node cannot follow such a source,
 * for example a ConfigMap if the agent has no API server; *err says why. */
HF_MUST_USE int hf_manifest_source_new(const struct hf_manifest_source_params *params,
                                       struct hf_manifest_source **ret_source, struct hf_err *err);
/* Stops the source. No callback is called afterwards. If a job still runs, the memory is freed when the job ends.
 * Accepts NULL. */
void hf_manifest_source_free(struct hf_manifest_source *source);
HF_DEFINE_CLEANUP(struct hf_manifest_source, hf_manifest_source_free)
/* Makes the source check if there is a newer content. Call this function once per SyncPolicy `interval`. */
void hf_manifest_source_refresh(struct hf_manifest_source *source);
/* Lets a source go on that `takes` has stopped. */
void hf_manifest_source_ready(struct hf_manifest_source *source);
/* Makes a source that waits for the link (env->link) try again at once. Call this function when the link allows
 * downloads again. */
void hf_manifest_source_link_opened(struct hf_manifest_source *source);
