/* SPDX-License-Identifier: Apache-2.0 */
/* The source of desired state, which also takes the agent's status: an API server, KubeEdge's MetaServer, or a folder.
 *
 * Every source reports an object as gone only after DELETED of a real API server, a complete list of the API server
 * itself, or a complete scan of a folder. A source calls no subscriber inside subscribe() or apply(). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/json.h"

enum hf_contact_kind {
    HF_CONTACT_PROVEN, /* just answered */
    HF_CONTACT_LOST,   /* a MetaServer's store may answer */
};

struct hf_server_date {
    uint64_t unix_ns;       /* API server's; 0: unknown, as behind a MetaServer */
    uint64_t round_trip_ns; /* at most: since the request's begin */
};

/* Each may be NULL; objects are borrowed. May end any subscription, and write. */
struct hf_source_sink {
    void *arg;
    /* Added, modified or listed; after a restart or relist maybe the same version again. kind and apiVersion are
     * set. */
    void (*upsert)(void *arg, json_t *object);
    void (*gone)(void *arg, const char *name);
    /* All that exists is reported; again after each complete list. The first after a resume: the resourceVersion was
     * accepted, changes may follow. "": in doubt; a later process must list. */
    void (*synced)(void *arg, const char *resource_version);
    /* A later process may resume here if all reported before is on disk. After each list ("": in doubt), and about once
     * a minute: write the newest every 10 minutes and at the end. */
    void (*version)(void *arg, const char *resource_version);
    /* Holds until the other kind comes. PROVEN again about once a minute, LOST with a newer reason. */
    void (*contact)(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err);
    /* A doubt about `what`, an object, answer or file, usually skipped. ESTALE: maybe outdated, of a MetaServer's
     * store; or a folder is suddenly empty. */
    void (*refused)(void *arg, const char *what, const struct hf_err *err);
    /* A file is unreadable (the folder: too many files); err NULL: good again, or removed. `refused` reports it, too;
     * both to one subscriber, as the kind is unknown. */
    void (*unreadable)(void *arg, const char *what, const struct hf_err *err);
    /* The object cannot be parsed; an earlier version stays valid. err NULL: good again, or deleted. `name`: its place
     * in a list if unreadable too. */
    void (*unreadable_object)(void *arg, const char *name, const struct hf_err *err);
};

struct hf_source_ops;

/* Embedded by sources. */
struct hf_subscription {
    const struct hf_source_ops *source;
};
struct hf_delivery {
    const struct hf_source_ops *source;
};

/* A write ended. `answer` (borrowed): the object now, or NULL. r:
 *   0              written (2xx; a folder: on disk)
 *   -EAGAIN        again, after retry_after_ns
 *   -EBADMSG       refused for good (400, 405, 406, 413, 415, 422; a folder: bad kind or name)
 *   -EACCES        no right (401, 403)
 *   -ENOENT        no such object or kind
 *   other -errno   no answer (-ECONNREFUSED, -ETIMEDOUT, ...) */
typedef void hf_source_done(void *arg, int r, uint64_t retry_after_ns, const json_t *answer, const struct hf_err *err);

struct hf_source_ops {
    void *ctx;
    /* Cluster-scoped: "EdgeUpdate", "SyncPolicy", "EdgeNode", "Node", "CertificateSigningRequest"; `name` NULL: all.
     * `resume`: a resourceVersion, or "". `known`: the subscriber's, for a complete list to show what is gone.
     * Copied. */
    HF_MUST_USE int (*subscribe)(void *ctx, const char *kind, const char *name, const char *resume,
                                 const char *const *known, const struct hf_source_sink *sink,
                                 struct hf_subscription **ret_subscription, struct hf_err *err);
    void (*unsubscribe)(struct hf_subscription *subscription);
    /* Call after subscribe() for each object that the subscriber has: older events are outdated. */
    void (*holds)(struct hf_subscription *subscription, const char *name, const char *resource_version);
    /* Once per SyncPolicy `interval`. MetaServer: sends LISTs, one subscription after the other. API server with open
     * watch: reports contact and version, or lists if in doubt. Folder: scans. */
    void (*refresh)(struct hf_subscription *subscription);
    /* The subscriber does not keep it; complete lists report it again. `matters`: report when it is gone; else it may
     * be forgotten. */
    void (*decline)(struct hf_subscription *subscription, const char *name, bool matters);
    /* A complete list soon, at a random moment; no `synced` before its end. */
    void (*relist)(struct hf_subscription *subscription);
    /* apiVersion, kind, metadata.name and all fields that the agent owns; those missing now are released.
     * `subresource`: "status" or NULL. `done` gets -EHOSTUNREACH behind a MetaServer without contact; again when
     * PROVEN. */
    HF_MUST_USE int (*apply)(void *ctx, const json_t *body, const char *subresource, hf_source_done *done, void *arg,
                             struct hf_delivery **ret_delivery, struct hf_err *err);
    /* No `done` follows; the write may still happen. */
    void (*abandon)(struct hf_delivery *delivery);
    /* Last sign of life; 0: none. API server: watch, list, write, ping. MetaServer: a list from the cloud. Folder: a
     * scan. Sends nothing. */
    uint64_t (*heard_ns)(void *ctx);
};

/* NULL: nothing. */
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
