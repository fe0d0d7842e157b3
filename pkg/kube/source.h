/* SPDX-License-Identifier: Apache-2.0 */
/* kube/source.h - the interface to the source of desired state, to which the agent also writes its status: an API
 * server, KubeEdge's MetaServer, or a folder.
 *
 * Every source reports that an object is gone only after a DELETED event of a real API server, a complete list of the
 * API server itself, or a complete scan of a folder; never because of an answer that may come from a MetaServer's
 * store. A source calls no subscriber inside subscribe() or apply(). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/json.h"

enum hf_contact_kind {
    HF_CONTACT_PROVEN, /* the API server itself or the folder has just answered */
    HF_CONTACT_LOST,   /* a MetaServer may still answer from its store */
};

struct hf_server_date {
    uint64_t unix_ns;       /* of the API server; 0: unknown, as behind a MetaServer */
    uint64_t round_trip_ns; /* the request began at most this long before the report */
};

/* Each may be NULL. Objects are borrowed. A callback may end any subscription, and write. */
struct hf_source_sink {
    void *arg;
    /* Added, modified or listed; after a restart or a relist the same version may come again. kind and apiVersion are
     * set. */
    void (*upsert)(void *arg, json_t *object);
    void (*gone)(void *arg, const char *name);
    /* All objects that exist have been reported; again after each complete list. After a resume the first call means
     * only that the source accepted the resourceVersion: changes may follow. "": in doubt; a later process must list to
     * learn what is gone. */
    void (*synced)(void *arg, const char *resource_version);
    /* A later process may resume from it if all objects reported before are on disk. Comes after each list ("" after
     * one in doubt) and about once a minute: write the newest one every 10 minutes and at the end. A resume from an
     * older one costs a replay, at worst a list. */
    void (*version)(void *arg, const char *resource_version);
    /* Valid until the other kind. PROVEN is repeated about once a minute, LOST with a newer reason. */
    void (*contact)(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err);
    /* The source doubts an object or an answer, and usually skips it. `what` describes it, or is a file's name. ESTALE:
     * it may be outdated, from the store of a MetaServer, or a folder is suddenly empty. */
    void (*refused)(void *arg, const char *what, const struct hf_err *err);
    /* A file (or the folder, with too many files) is unusable; err = NULL: good again, or removed. `refused` reports
     * it, too; both go to one subscriber, because the kind of its objects is unknown. */
    void (*unreadable)(void *arg, const char *what, const struct hf_err *err);
    /* An object cannot be parsed; an earlier version stays valid. err = NULL: a later version is good, or it is
     * deleted. `name` is the place in a list if the name is unreadable, too. */
    void (*unreadable_object)(void *arg, const char *name, const struct hf_err *err);
};

struct hf_source_ops;

/* Handles, which a source embeds in its own structs. */
struct hf_subscription {
    const struct hf_source_ops *source;
};
struct hf_delivery {
    const struct hf_source_ops *source;
};

/* The end of a write. `answer` (borrowed): the object as the source has it now, or NULL. Values of r:
 *   0              the source has the write (2xx; a folder wrote and synced the file)
 *   -EAGAIN        try again, not before retry_after_ns
 *   -EBADMSG       refused for good (400, 405, 406, 413, 415, 422; a folder: bad kind or name)
 *   -EACCES        refused for lack of rights (401, 403)
 *   -ENOENT        no such object or kind
 *   other -errno   no answer (-ECONNREFUSED, -ETIMEDOUT, ...) */
typedef void hf_source_done(void *arg, int r, uint64_t retry_after_ns, const json_t *answer, const struct hf_err *err);

struct hf_source_ops {
    void *ctx;
    /* To a cluster-scoped kind ("EdgeUpdate", "SyncPolicy", "EdgeNode", "Node", "CertificateSigningRequest"); `name`
     * NULL: all objects. `resume`: a resourceVersion, or "". `known` (NULL-terminated): objects that the subscriber
     * has, of which a complete list shows those that are gone. Arguments are copied. */
    HF_MUST_USE int (*subscribe)(void *ctx, const char *kind, const char *name, const char *resume,
                                 const char *const *known, const struct hf_source_sink *sink,
                                 struct hf_subscription **ret_subscription, struct hf_err *err);
    void (*unsubscribe)(void *ctx, struct hf_subscription *subscription); /* accepts NULL */
    /* After subscribe(), for each object that the subscriber has: older answers are outdated. */
    void (*holds)(void *ctx, struct hf_subscription *subscription, const char *name, const char *resource_version);
    /* Once per SyncPolicy `interval`. MetaServer: one LIST, one subscription after the other. Open watch: reports
     * contact and an unreported version, or lists after a list in doubt. Folder: a scan. */
    void (*refresh)(void *ctx, struct hf_subscription *subscription);
    /* The subscriber does not keep the object, which each complete list reports again. `matters`: also report when it
     * is gone; else the source may forget it, so that objects for other nodes need no memory. */
    void (*decline)(void *ctx, struct hf_subscription *subscription, const char *name, bool matters);
    /* A complete list, soon, at a random moment (a label may change on all nodes of a fleet); `synced` not before its
     * end. */
    void (*relist)(void *ctx, struct hf_subscription *subscription);
    /* Server-side apply of apiVersion, kind, metadata.name and all fields that the agent owns; a field that an earlier
     * body had and this one lacks is given up. `subresource`: "status" or NULL. -EHOSTUNREACH behind a MetaServer
     * without contact: write again when contact is PROVEN. */
    HF_MUST_USE int (*apply)(void *ctx, const json_t *body, const char *subresource, hf_source_done *done, void *arg,
                             struct hf_delivery **ret_delivery, struct hf_err *err);
    /* Without `done`; it may be performed nevertheless. Accepts NULL. */
    void (*abandon)(void *ctx, struct hf_delivery *delivery);
    /* Last sign of life of the source itself; 0: none yet. API server: bytes of a watch, a list, a write, a ping.
     * MetaServer: a list from the cloud. Folder: a scan. Sends nothing. */
    uint64_t (*heard_ns)(void *ctx);
};
