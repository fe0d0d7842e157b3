/* SPDX-License-Identifier: Apache-2.0 */
/* The source of desired state, which also takes the agent's status: an API server, KubeEdge's MetaServer, or a folder.
 *
 * An object is reported as gone only after DELETED of a real API server, a complete list of the API server itself, or a
 * complete scan of a folder. No subscriber is called inside subscribe() or apply(). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/json.h"

enum hf_contact_kind {
    HF_CONTACT_PROVEN, /* the source has just answered */
    HF_CONTACT_LOST,   /* no contact; a MetaServer's store may still answer */
};

struct hf_server_date {
    uint64_t unix_ns;       /* of the API server; 0: unknown, as behind a MetaServer */
    uint64_t round_trip_ns; /* upper limit: time since the request began */
};

/* Callbacks of a subscriber. Each may be NULL, may end any subscription, and may write; objects are borrowed. */
struct hf_source_sink {
    void *arg;
    /* An object was added, modified or listed; after a restart or relist perhaps in the version reported before.
     * kind and apiVersion are set. */
    void (*upsert)(void *arg, json_t *object);
    void (*gone)(void *arg, const char *name);
    /* All that exists is reported. Comes again after most complete lists. After a resume, the first call means only
     * that the server accepted the resourceVersion; changes may follow. `resource_version` "": a later process must
     * list. */
    void (*synced)(void *arg, const char *resource_version);
    /* A later process may resume here if all that was reported before is on disk; "": it must list. Comes, if
     * changed, after lists and about once a minute. */
    void (*version)(void *arg, const char *resource_version);
    /* `kind` holds until the next call. PROVEN comes again about once a minute, LOST with a newer reason. */
    void (*contact)(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err);
    /* `what`, an object, answer or file, is in doubt, and usually skipped. ESTALE: outdated, or a folder that is
     * suddenly empty. */
    void (*refused)(void *arg, const char *what, const struct hf_err *err);
    /* A file is unreadable (the folder: too many files); err NULL: it is good again, or removed. A fault comes with
     * `refused`, to one subscriber only. */
    void (*unreadable)(void *arg, const char *what, const struct hf_err *err);
    /* An object cannot be parsed; its earlier version stays valid. err NULL: it is good again, or deleted. `name`: its
     * place in a list, if the name is unreadable too. */
    void (*unreadable_object)(void *arg, const char *name, const struct hf_err *err);
};

struct hf_source_ops;

struct hf_subscription {
    const struct hf_source_ops *source;
};
struct hf_delivery {
    const struct hf_source_ops *source;
};

/* A write ended. `answer` (borrowed): the object now, or NULL. r:
 *   0              written (2xx; a folder: on disk)
 *   -EAGAIN        try again after retry_after_ns
 *   -EBADMSG       refused for good (400, 405, 406, 413, 415, 422; a folder: bad kind or name)
 *   -EACCES        no right (401, 403)
 *   -ENOENT        no such object or kind
 *   other -errno   no answer */
typedef void hf_source_done(void *arg, int r, uint64_t retry_after_ns, const json_t *answer, const struct hf_err *err);

struct hf_source_ops {
    void *ctx;
    /* Kinds: "EdgeUpdate", "SyncPolicy", "EdgeNode", "Node", "CertificateSigningRequest"; `name` NULL: all objects.
     * `resume`: a resourceVersion, or "". `known`: names that the subscriber has; a complete list shows which are gone.
     * Arguments are copied. */
    HF_MUST_USE int (*subscribe)(void *ctx, const char *kind, const char *name, const char *resume,
                                 const char *const *known, const struct hf_source_sink *sink,
                                 struct hf_subscription **ret_subscription, struct hf_err *err);
    void (*unsubscribe)(struct hf_subscription *subscription);
    /* Call after subscribe() for each object that the subscriber has, so that older events count as outdated. */
    void (*holds)(struct hf_subscription *subscription, const char *name, const char *resource_version);
    /* Call once in a SyncPolicy's `interval`. A MetaServer gets LISTs; an API server with an open watch reports contact
     * and version, or lists if in doubt; a folder is scanned. */
    void (*refresh)(struct hf_subscription *subscription);
    /* The subscriber does not keep the object; a server's complete lists report it again. Only if it `matters`, `gone`
     * is sure to come. */
    void (*decline)(struct hf_subscription *subscription, const char *name, bool matters);
    /* Requests a complete list soon (API server: at a random moment); no `synced` comes before its end. */
    void (*relist)(struct hf_subscription *subscription);
    /* Writes apiVersion, kind, metadata.name and all fields that the agent owns; releases owned fields that `body`
     * lacks. `subresource`: "status" or NULL. -EHOSTUNREACH from a MetaServer: write again when contact is PROVEN. */
    HF_MUST_USE int (*apply)(void *ctx, const json_t *body, const char *subresource, hf_source_done *done, void *arg,
                             struct hf_delivery **ret_delivery, struct hf_err *err);
    /* No `done` follows; the write may still happen. */
    void (*abandon)(struct hf_delivery *delivery);
    /* Returns the monotonic time of the last sign of life (from a MetaServer: a list from the cloud), or 0. */
    uint64_t (*heard_ns)(void *ctx);
};

/* Accept NULL. */
static inline void hf_source_unsubscribe(struct hf_subscription *subscription)
{
    if (subscription != NULL)
        subscription->source->unsubscribe(subscription);
}

static inline void hf_source_abandon(struct hf_delivery *delivery)
{
    if (delivery != NULL)
        delivery->source->abandon(delivery);
}
