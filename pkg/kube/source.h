/* kube/source.h - where desired state comes from and where status goes: an API server, KubeEdge's MetaServer, or a
 * folder.
 *
 * The agent knows only this table. It keeps one promise: a source reports that an object is gone only with proof, a
 * DELETED event of a real API server or a proven complete LIST that lacks the object. Doubtful answers change nothing.
 * Threads: loop thread only. No sink is called inside the call that subscribed.
 * Errors: 0 or -errno, as each function says. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/json.h"

enum hf_contact_kind {
    HF_CONTACT_PROVEN, /* the real source answered now */
    HF_CONTACT_LOST,   /* the real source is out of reach, or only a local proxy answers */
};

/* The callbacks of a subscriber. Objects are borrowed: take a reference to keep one. A callback may unsubscribe (itself
 * or others) and apply. Any of them may be NULL. */
struct hf_source_sink {
    void *arg;
    /* Added, modified or listed. The same object may come again (same resourceVersion): after a restart, after a
     * relist. It has kind and apiVersion, also where the server left them out. */
    void (*upsert)(void *arg, json_t *object);
    void (*gone)(void *arg, const char *name); /* proven */
    /* The source has reported everything that exists since the subscription began. After a resume: the source accepted
     * the resourceVersion; events with the changes since then may follow. Comes again after each complete list. */
    void (*synced)(void *arg, const char *resource_version);
    /* A later start may resume from this resourceVersion, once everything reported before is on disk. Comes with every
     * bookmark (about one a minute where the server sends them): no reason to write at once. Write the newest one every
     * 10 minutes and at the end; an older one costs a replay, at worst one list. */
    void (*version)(void *arg, const char *resource_version);
    /* Reports contact. PROVEN holds until LOST comes; the source repeats PROVEN about once a minute, and may repeat
     * LOST with the newest reason. server_date_unix_ns: the real server's Date; 0 if unknown (a proxy's own Date
     * does not count). */
    void (*contact)(void *arg, enum hf_contact_kind kind, uint64_t server_date_unix_ns, const struct hf_err *err);
    /* The source skipped an object or answer that it could not use. -ESTALE: a doubt (versions that went back). */
    void (*refused)(void *arg, const char *what, const struct hf_err *err);
    /* A part of the source (a file) is unusable. When the part is good again, or gone, this comes for it with a NULL
     * error. `refused` reports such a part too. */
    void (*unreadable)(void *arg, const char *what, const struct hf_err *err);
};

struct hf_source_ops;

/* Handles, which a source embeds in structs of its own. `source`: the source to which the handle belongs. */
struct hf_subscription {
    const struct hf_source_ops *source;
};
struct hf_delivery {
    const struct hf_source_ops *source;
};

/* Called at the end of a write. r: 0 the source has it (2xx from a real server; written and synced for a folder);
 * -EAGAIN not now, keep it and try later (retry_after_ns may say when); -ECONNREFUSED and the like: out of reach;
 * -EBADMSG refused for good (422, 400); -EACCES 403; -ENOENT the object or kind does not exist. `answer`: the object
 * as the source has it now, or NULL; borrowed. */
typedef void hf_source_done(void *arg, int r, uint64_t retry_after_ns, const json_t *answer, const struct hf_err *err);

struct hf_source_ops {
    void *ctx;
    /* Follow a cluster-scoped kind ("EdgeUpdate", "SyncPolicy", "EdgeNode", "Node"). `name`: only this object (field
     * selector metadata.name), NULL all. `resume`: the resourceVersion to resume from, "" none. `known`:
     * NULL-terminated names that the subscriber holds already, so that a complete LIST shows which are gone. Copied. */
    HF_MUST_USE int (*subscribe)(void *ctx, const char *kind, const char *name, const char *resume,
                                 const char *const *known, const struct hf_source_sink *sink,
                                 struct hf_subscription **ret_subscription, struct hf_err *err);
    void (*unsubscribe)(void *ctx, struct hf_subscription *subscription); /* accepts NULL */
    /* Check now, with proof and completely (MetaServer: one LIST, when its turn comes; API server: nothing while the
     * watch is alive, except that it reports contact and an unreported resourceVersion). The agent calls it each
     * interval. */
    void (*refresh)(void *ctx, struct hf_subscription *subscription);
    /* The subscriber does not keep this object in this version (call it from inside `upsert`, or later): each complete
     * list reports it again. `matters`: also report that it is gone; otherwise the source may forget it, so that
     * objects of other nodes take up none of the source's bounds. */
    void (*decline)(void *ctx, struct hf_subscription *subscription, const char *name, bool matters);
    /* Ask for a complete list soon, at a random moment (a label that changed on the whole fleet must not bring all
     * lists at once); `synced` does not come before its end. Several calls before it begins ask for one list. */
    void (*relist)(void *ctx, struct hf_subscription *subscription);
    /* Server-side apply of `body` (apiVersion, kind, metadata.name, and the fields that we own). subresource: "status"
     * or NULL. Each body is complete: a field that an earlier one had and this one lacks is no longer ours. Behind a
     * MetaServer without contact the write fails at once (-EHOSTUNREACH), so that nobody waits 10 s: write again when
     * contact is PROVEN. */
    HF_MUST_USE int (*apply)(void *ctx, const json_t *body, const char *subresource, hf_source_done *done, void *arg,
                             struct hf_delivery **ret_delivery, struct hf_err *err);
    void (*abandon)(void *ctx, struct hf_delivery *delivery);
    /* Monotonic time of the last sign of life from the real source: a byte of a watch, an answer (behind a MetaServer:
     * a list that proves the cloud; a folder: a scan that succeeded). 0: not yet. Free of cost; `contact` comes much
     * less often. */
    uint64_t (*heard_ns)(void *ctx);
};
