/* kube/source.h - where desired state comes from and where status goes: an API server, KubeEdge's MetaServer, or a
 * folder.
 *
 * The agent uses all kinds of source through the table hf_source_ops. Every source keeps one promise. It reports that
 * an object is gone only after a DELETED event of a real API server, or after a complete LIST without the object that
 * the API server itself answered (a folder: after a complete scan). An answer that may come from a local proxy's store
 * never makes an object go.
 *
 * Threads: loop thread only. A source calls no callback of a subscriber inside subscribe().
 * Errors: 0 or -errno, as each function says. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/json.h"

enum hf_contact_kind {
    HF_CONTACT_PROVEN, /* the real source answered now */
    HF_CONTACT_LOST,   /* the real source is unreachable, or only a local proxy answers */
};

/* The callbacks of a subscriber. Objects are borrowed, so take a reference to keep an object. A callback may
 * call unsubscribe(), for its own or another subscription, and apply(). Each callback may be NULL. */
struct hf_source_sink {
    void *arg;
    /* An object was added, modified or listed. After a restart or a relist, an object may come again in the same
     * resourceVersion. The source fills in kind and apiVersion if the server left them out. */
    void (*upsert)(void *arg, json_t *object);
    void (*gone)(void *arg, const char *name); /* the object of this name does not exist any more */
    /* The source has reported everything that exists since the subscription began. After a resume, it
     * means that the source accepted the resourceVersion, and events with the changes since then may follow. This
     * callback comes again after each complete list. */
    void (*synced)(void *arg, const char *resource_version);
    /* A later start may resume from this resourceVersion, once everything reported before is on disk. Comes
     * with every bookmark (about once a minute if the server sends bookmarks), so do not write each one to disk. Write
     * the newest resourceVersion every 10 minutes and at the end. Resuming from an older one costs a replay of events,
     * at worst one list. */
    void (*version)(void *arg, const char *resource_version);
    /* Reports contact. PROVEN holds until LOST comes; the source repeats PROVEN about once a minute, and may repeat
     * LOST with the newest reason. server_date_unix_ns is the Date that the real server sent, or 0 if the
     * source does not know it, because only a proxy sent a Date. */
    void (*contact)(void *arg, enum hf_contact_kind kind, uint64_t server_date_unix_ns, const struct hf_err *err);
    /* The source skipped an object or an answer that it could not use. ESTALE in *err means that the object or answer
     * is older than an earlier one. */
    void (*refused)(void *arg, const char *what, const struct hf_err *err);
    /* A part of the source (a file) is unusable. When the file is good again, or gone, the source calls this
     * function for the file again with err = NULL. `refused` also reports an unusable file. */
    void (*unreadable)(void *arg, const char *what, const struct hf_err *err);
};

struct hf_source_ops;

/* Handles, which a source embeds in its own structs. `source` is the source to which the handle belongs. */
struct hf_subscription {
    const struct hf_source_ops *source;
};
struct hf_delivery {
    const struct hf_source_ops *source;
};

/* Called at the end of a write. `answer` is the object as the source has it now, or NULL; borrowed. Values of r:
 *   0              the source has the write (an API server answered 2xx; a folder wrote and synced the file)
 *   -EAGAIN        try again later, after retry_after_ns unless it is 0
 *   -EBADMSG       refused for good (400, 422)
 *   -EACCES        refused for lack of rights (401, 403)
 *   -ENOENT        the object or its kind does not exist
 *   other -errno   the source is unreachable (-ECONNREFUSED, -ETIMEDOUT, ...) */
typedef void hf_source_done(void *arg, int r, uint64_t retry_after_ns, const json_t *answer, const struct hf_err *err);

struct hf_source_ops {
    void *ctx;
    /* Follows a cluster-scoped kind ("EdgeUpdate", "SyncPolicy", "EdgeNode", "Node"). `name` selects one object (field
     * selector metadata.name); NULL selects all. `resume` is the resourceVersion to resume from, or "". `known` is a
     * NULL-terminated list of the names that the subscriber holds already, so that a complete LIST shows which of them
     * are gone. The source copies all arguments. */
    HF_MUST_USE int (*subscribe)(void *ctx, const char *kind, const char *name, const char *resume,
                                 const char *const *known, const struct hf_source_sink *sink,
                                 struct hf_subscription **ret_subscription, struct hf_err *err);
    void (*unsubscribe)(void *ctx, struct hf_subscription *subscription); /* accepts NULL */
    /* Checks that the subscription is up to date. Behind a MetaServer, the source requests one LIST, after those that
     * other subscriptions wanted earlier. With an API server and an open watch, the source only reports contact and a
     * resourceVersion that it has not reported, except after doubtful answers, when it lists again. The agent calls
     * this function each interval. */
    void (*refresh)(void *ctx, struct hf_subscription *subscription);
    /* Call, inside `upsert` or later, if the subscriber does not keep an object that `upsert` reported. Each complete
     * list then reports this object again. If `matters` is true, the source also reports when the object is gone.
     * Otherwise the source may forget the object, so that objects of other nodes do not use up its limits. */
    void (*decline)(void *ctx, struct hf_subscription *subscription, const char *name, bool matters);
    /* Requests a complete list soon, at a random moment, so that a label that changed on the whole fleet does not bring
     * all lists at once. `synced` does not come before the end of that list. Several calls before the list begins
     * request only one. */
    void (*relist)(void *ctx, struct hf_subscription *subscription);
    /* Server-side apply of `body`, which has apiVersion, kind, metadata.name and all fields that we own. `subresource`
     * is "status" or NULL. If a field of an earlier body is not in this one, we no longer own that field. Behind a
     * MetaServer without contact, the write fails at once with -EHOSTUNREACH instead of after 10 s; write again when
     * contact is PROVEN. */
    HF_MUST_USE int (*apply)(void *ctx, const json_t *body, const char *subresource, hf_source_done *done, void *arg,
                             struct hf_delivery **ret_delivery, struct hf_err *err);
    void (*abandon)(void *ctx, struct hf_delivery *delivery);
    /* Returns the monotonic time of the last sign of life from the real source, or 0 before the first one. Signs are a
     * byte of a watch or an answer of an API server, a list that the cloud answered behind a MetaServer, and a
     * successful scan of a folder. The call sends nothing, and its time is more precise than that of `contact`. */
    uint64_t (*heard_ns)(void *ctx);
};
