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

/* The time of the API server. */
struct hf_server_date {
    uint64_t unix_ns;       /* header Date of the API server itself; 0: unknown, as behind a MetaServer */
    uint64_t round_trip_ns; /* the request began at most this long before the report */
};

/* The callbacks of a subscriber; each may be NULL. Objects are borrowed: take a reference to keep one. A callback may
 * end any subscription, and write. */
struct hf_source_sink {
    void *arg;
    /* An object was added, modified or listed. After a restart or a relist the same version may come again. The source
     * sets kind and apiVersion if the server left them out. */
    void (*upsert)(void *arg, json_t *object);
    void (*gone)(void *arg, const char *name);
    /* All objects that exist have been reported; again after each complete list. After a resume, the first call means
     * only that the source accepted the resourceVersion: changes since may follow. "": the list was in doubt, and a
     * later process must list to learn what is gone. */
    void (*synced)(void *arg, const char *resource_version);
    /* A later process may resume from this resourceVersion if all objects reported before are on disk. Comes after each
     * list and with every bookmark, about once a minute: write the newest one every 10 minutes and at the end. "" after
     * a list in doubt. A resume from an older one costs a replay, at worst a list. */
    void (*version)(void *arg, const char *resource_version);
    /* PROVEN is valid until LOST. PROVEN is repeated about once a minute while the source is heard, LOST with a newer
     * reason. */
    void (*contact)(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err);
    /* The source doubts an object or an answer, and usually skips it. `what` is a description, or the name of a file.
     * ESTALE: it may be outdated: older than an earlier one, or from the store of a MetaServer, or a folder is suddenly
     * empty. */
    void (*refused)(void *arg, const char *what, const struct hf_err *err);
    /* A file is unusable (or the folder, if it has too many files); err = NULL when it is good again or removed.
     * `refused` reports it, too; both go to one subscriber, because the kind of its objects is unknown. */
    void (*unreadable)(void *arg, const char *what, const struct hf_err *err);
    /* A server sent an object that cannot be parsed; an earlier version stays valid. err = NULL when a later version is
     * good or the object is deleted. `name` describes the place in a list if the name is unreadable, too. */
    void (*unreadable_object)(void *arg, const char *name, const struct hf_err *err);
};

struct hf_source_ops;

/* Handles that a source embeds in its own structs; `source` is the source to which they belong. */
struct hf_subscription {
    const struct hf_source_ops *source;
};
struct hf_delivery {
    const struct hf_source_ops *source;
};

/* The end of a write. `answer` (borrowed) is the object as the source has it now, or NULL. Values of r:
 *   0              the source has the write (an API server answered 2xx; a folder wrote and synced the file)
 *   -EAGAIN        try again later, not before retry_after_ns
 *   -EBADMSG       refused for good (400, 405, 406, 413, 415, 422; a folder: bad kind or name)
 *   -EACCES        refused for lack of rights (401, 403)
 *   -ENOENT        the object or its kind does not exist
 *   other -errno   no answer came from the source (-ECONNREFUSED, -ETIMEDOUT, ...) */
typedef void hf_source_done(void *arg, int r, uint64_t retry_after_ns, const json_t *answer, const struct hf_err *err);

struct hf_source_ops {
    void *ctx;
    /* Subscribes to a cluster-scoped kind ("EdgeUpdate", "SyncPolicy", "EdgeNode", "Node",
     * "CertificateSigningRequest"); `name` NULL: all its objects. `resume` is a resourceVersion, or "". `known`
     * (NULL-terminated) names the objects that the subscriber already has: a complete list shows which are gone. All
     * arguments are copied. */
    HF_MUST_USE int (*subscribe)(void *ctx, const char *kind, const char *name, const char *resume,
                                 const char *const *known, const struct hf_source_sink *sink,
                                 struct hf_subscription **ret_subscription, struct hf_err *err);
    void (*unsubscribe)(void *ctx, struct hf_subscription *subscription); /* accepts NULL */
    /* After subscribe(), for each object that the subscriber has: older answers of an API server are outdated. */
    void (*holds)(void *ctx, struct hf_subscription *subscription, const char *resource_version);
    /* Once per SyncPolicy `interval`: checks that the subscription is up to date. Behind a MetaServer this is one LIST,
     * one subscription after the other. With an open watch it reports contact and an unreported version, or lists
     * if the last list was in doubt. A folder is scanned. */
    void (*refresh)(void *ctx, struct hf_subscription *subscription);
    /* Inside `upsert` or later: the subscriber does not keep the object. Each complete list reports it again.
     * `matters`: also report when it is gone; else the source may forget it, so that objects for other nodes take no
     * room. */
    void (*decline)(void *ctx, struct hf_subscription *subscription, const char *name, bool matters);
    /* Requests a complete list, which begins soon, at a random moment: a label may change on all nodes of a fleet.
     * `synced` does not come before its end. */
    void (*relist)(void *ctx, struct hf_subscription *subscription);
    /* Server-side apply of `body`: apiVersion, kind, metadata.name and all fields that the agent owns; a field that an
     * earlier body had and this one lacks is given up. `subresource` is "status" or NULL. Behind a MetaServer without
     * contact `done` soon gets -EHOSTUNREACH: write again when contact is PROVEN. */
    HF_MUST_USE int (*apply)(void *ctx, const json_t *body, const char *subresource, hf_source_done *done, void *arg,
                             struct hf_delivery **ret_delivery, struct hf_err *err);
    /* Ends a write without `done`; it may be performed nevertheless. Accepts NULL. */
    void (*abandon)(void *ctx, struct hf_delivery *delivery);
    /* Monotonic time of the last sign of life of the source itself; 0: none yet. API server: bytes of a watch, a list,
     * a write, the answer to a ping. MetaServer: a list that the cloud answered. Folder: a scan. Sends nothing. */
    uint64_t (*heard_ns)(void *ctx);
};
