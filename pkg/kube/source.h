/* SPDX-License-Identifier: Apache-2.0 */
/* kube/source.h - the interface to the source of desired state, to which the agent also writes its status. A source is
 * an API server, KubeEdge's MetaServer, or a folder.
 *
 * The agent uses all kinds of source through the table hf_source_ops. Every source obeys one rule. It reports that an
 * object is gone only after a DELETED event of a real API server, after a complete list of the API server itself that
 * does not contain the object, or after a complete scan of a folder. It never reports an object as gone because of an
 * answer that may come from the store of a MetaServer.
 *
 * Threads: loop thread only. A source calls no callback of a subscriber inside subscribe() or apply(). Errors:
 * functions return 0 or -errno. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/json.h"

enum hf_contact_kind {
    HF_CONTACT_PROVEN, /* the source itself (the API server or the folder) has just answered */
    HF_CONTACT_LOST,   /* the source itself is unreachable; perhaps a MetaServer still answers from its store */
};

/* The time of the API server. */
struct hf_server_date {
    uint64_t unix_ns; /* header Date that the API server itself sent; 0 if unknown, for example from a MetaServer */
    uint64_t round_trip_ns; /* the request began at most this long before the report */
};

/* The callbacks of a subscriber. The callbacks borrow the objects; a callback that wants to keep an object must take a
 * reference. A callback may call unsubscribe() for any subscription, and apply(). Each callback may be NULL. */
struct hf_source_sink {
    void *arg;
    /* Called when an object was added, modified or listed. After a restart or a relist, the same version of an object
     * may come again. The source sets the kind and apiVersion of the object if the server left them out. */
    void (*upsert)(void *arg, json_t *object);
    void (*gone)(void *arg, const char *name); /* Called when the object with this name does not exist any more. */
    /* Called when the source has reported all objects that exist, and again after each complete list. If the
     * subscription resumes from a resourceVersion, the first call means only that the source accepted this
     * resourceVersion; the changes since that resourceVersion may still follow as events. `resource_version` is "" if
     * the list was in doubt: a later process must not resume, but list, to learn what is gone. */
    void (*synced)(void *arg, const char *resource_version);
    /* Called with a resourceVersion from which a later process may resume, if all objects reported before this call are
     * on disk. The call comes after each complete list and with every bookmark (about once a minute if the server sends
     * bookmarks), so the subscriber should not write each resourceVersion to disk. It should write the newest
     * resourceVersion every 10 minutes and at the end of the process. After a list in doubt the call has "", which
     * replaces the earlier resourceVersion. A resume from an older resourceVersion costs a replay of events, and at
     * worst one list. */
    void (*version)(void *arg, const char *resource_version);
    /* Reports contact. PROVEN is valid until LOST comes. The source repeats PROVEN when it hears from the server or the
     * folder again, usually not more than once a minute, and may repeat LOST with a newer reason. */
    void (*contact)(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err);
    /* Called when the source doubts an object or an answer. The source then usually skips this object or answer. `what`
     * is a description, such as "list item", or the name of a file. The code ESTALE in *err means that the object or
     * answer may be outdated: it is older than an earlier one, the store of a MetaServer answered, or a folder is
     * suddenly empty. */
    void (*refused)(void *arg, const char *what, const struct hf_err *err);
    /* Called when a file of the source is unusable, with the reason in *err. `what` is the name of the file, or the
     * path of the folder if it has too many files. When the file is good again or removed, the source calls
     * `unreadable` for the file with err = NULL. The callback `refused` also reports an unusable file. Both calls go to
     * one subscriber only, because the kind of the objects in the file is unknown. */
    void (*unreadable)(void *arg, const char *what, const struct hf_err *err);
    /* Called when a server sends an object that the source cannot parse; *err has the reason. If the subscriber has an
     * earlier version of the object, that version stays valid. When a later version is good or the object is deleted,
     * the source calls `unreadable_object` for the object with err = NULL. `name` is the name of the object, or
     * describes its place in a list if the name is unreadable too. The callback `refused` does not report such an
     * object. */
    void (*unreadable_object)(void *arg, const char *name, const struct hf_err *err);
};

struct hf_source_ops;

/* Handles of a subscription and of a write. A source embeds them in its own structs. `source` is the source to which
 * the handle belongs. */
struct hf_subscription {
    const struct hf_source_ops *source;
};
struct hf_delivery {
    const struct hf_source_ops *source;
};

/* The type of the function that a source calls at the end of a write. `answer` is the object as the source has it now,
 * or NULL; it is borrowed. Values of r:
 *   0              the source has the write (an API server answered 2xx; a folder wrote and synced the file)
 *   -EAGAIN        the caller should try again later, and not before retry_after_ns have passed
 *   -EBADMSG       the source refused the write for good (400, 405, 406, 413, 415, 422; a folder: bad kind or name)
 *   -EACCES        the source refused the write for lack of rights (401, 403)
 *   -ENOENT        the object or its kind does not exist
 *   other -errno   no answer came from the source (-ECONNREFUSED, -ETIMEDOUT, ...) */
typedef void hf_source_done(void *arg, int r, uint64_t retry_after_ns, const json_t *answer, const struct hf_err *err);

struct hf_source_ops {
    void *ctx;
    /* Starts a subscription to a cluster-scoped kind ("EdgeUpdate", "SyncPolicy", "EdgeNode", "Node",
     * "CertificateSigningRequest"). `name` is the metadata.name of the one object to follow; NULL selects all objects
     * of the kind. `resume` is the resourceVersion to resume from, or "". `known` is a NULL-terminated list of the
     * names of objects that the subscriber already has. After a complete list, the source reports which of these
     * objects are gone. The source copies all arguments. */
    HF_MUST_USE int (*subscribe)(void *ctx, const char *kind, const char *name, const char *resume,
                                 const char *const *known, const struct hf_source_sink *sink,
                                 struct hf_subscription **ret_subscription, struct hf_err *err);
    void (*unsubscribe)(void *ctx, struct hf_subscription *subscription); /* Ends a subscription. Accepts NULL. */
    /* The subscriber calls this function after subscribe() for each object that it already has, with the
     * resourceVersion of the object. An answer of an API server that is older than this is then outdated, and does not
     * count. */
    void (*holds)(void *ctx, struct hf_subscription *subscription, const char *resource_version);
    /* Checks that the subscription is up to date. Behind a MetaServer, the source requests one LIST; it sends the LISTs
     * of all subscriptions one after another. With an API server and an open watch, the source only reports contact,
     * and the newest resourceVersion if `version` has not reported it yet. If the last list was partly unusable, or
     * older than earlier answers, the source lists again instead. With a folder, the source scans the folder and
     * reports contact. The agent calls this function once per SyncPolicy `interval`. */
    void (*refresh)(void *ctx, struct hf_subscription *subscription);
    /* The subscriber calls this function, inside `upsert` or later, if it does not keep an object that `upsert`
     * reported. Each complete list then reports the object again. If `matters` is true, the source also reports when
     * the object is gone. Otherwise the source may forget the object, so that objects for other nodes do not use up the
     * source's limits. */
    void (*decline)(void *ctx, struct hf_subscription *subscription, const char *name, bool matters);
    /* Requests a complete list. With an API server, the list begins soon, at a random moment, so that the nodes of a
     * fleet do not all list at once when a label changes on all of them. `synced` does not come before the end of this
     * list. Several calls before the list begins request only one list. */
    void (*relist)(void *ctx, struct hf_subscription *subscription);
    /* Starts a server-side apply of `body`, which has apiVersion, kind, metadata.name and all fields that the agent
     * owns. `subresource` is "status" or NULL. If `body` lacks a field that an earlier body had, the agent no longer
     * owns that field. Behind a MetaServer without contact, a write would fail only after 10 s or more. So the source
     * does not send it, and `done` soon gets -EHOSTUNREACH; the caller should write again when contact is PROVEN. */
    HF_MUST_USE int (*apply)(void *ctx, const json_t *body, const char *subresource, hf_source_done *done, void *arg,
                             struct hf_delivery **ret_delivery, struct hf_err *err);
    /* Ends a write without a call of its `done`. The source may perform the write nevertheless. `delivery` may be
     * NULL. */
    void (*abandon)(void *ctx, struct hf_delivery *delivery);
    /* Returns the monotonic time of the last sign of life from the source itself, or 0 before the first sign. For an
     * API server, bytes of a watch, a successful list or write, and the answer to a ping are signs of life. For a
     * MetaServer, only a list that the cloud answered is one; for a folder, a successful scan. The call sends no
     * request. The returned time is more precise than the time of the last call of `contact`. */
    uint64_t (*heard_ns)(void *ctx);
};
