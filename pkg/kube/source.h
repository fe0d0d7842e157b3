/* kube/source.h - where desired state comes from and where status goes: an API server, KubeEdge's MetaServer, or a folder.
 *
 * The agent knows only this table. Its one promise is DESIGN 3.10: `gone` is said only when it is proven (a DELETED event
 * of a real API server, or a proven complete LIST that lacks the object). Doubtful answers change nothing.
 * Loop thread only; sinks are never called inside the call that subscribed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/json.h"

enum hf_contact_kind {
    HF_CONTACT_PROVEN, /* the real source answered now */
    HF_CONTACT_LOST,   /* it cannot be reached, or only a local proxy answers */
};

/* What a subscriber hears. Objects are borrowed: take a reference to keep one. A sink may unsubscribe (itself or others) and
 * apply from inside any of these. Any of them may be NULL. */
struct hf_source_sink {
    void *arg;
    /* Added, modified or listed. The same object may come again (same resourceVersion): after a restart, after a relist. It has
     * kind and apiVersion, also where the server left them out. */
    void (*upsert)(void *arg, json_t *object);
    void (*gone)(void *arg, const char *name); /* proven */
    /* Everything that exists has been told since subscribing. After a resume: the source took the resourceVersion; what happened
     * since arrives as events, which may follow. Told again after each complete list. */
    void (*synced)(void *arg, const char *resource_version);
    /* A later start may resume after this, once all that was told before is on disk. Comes with every bookmark (about one a
     * minute where the server sends them): no reason to write at once. Keeping the newest one every 10 minutes and at the end
     * is enough; an older one costs a replay, at worst one list. */
    void (*mark)(void *arg, const char *resource_version);
    /* PROVEN holds until LOST is said; while it goes on it is said again about once a minute. LOST may be repeated, with the
     * newest reason. server_date_unix_ns: the real server's Date, 0 where there is none (a proxy's own is not passed on). */
    void (*contact)(void *arg, enum hf_contact_kind kind, uint64_t server_date_unix_ns, const struct hf_err *err);
    /* An object or answer that could not be used: told, skipped. -ESTALE: a doubt (versions that went back). */
    void (*refused)(void *arg, const char *what, const struct hf_err *err);
    /* A part of the source (a file) that stays refused until this is called for it again with NULL: it is good now, or gone.
     * Such a part was told by `refused` too. */
    void (*unreadable)(void *arg, const char *what, const struct hf_err *err);
};

struct hf_subscription;
struct hf_delivery;

struct hf_source_ops {
    void *ctx;
    /* Follow a cluster-scoped kind ("EdgeUpdate", "SyncPolicy", "EdgeNode", "Node"). `name`: only this object (field selector
     * metadata.name), NULL all. `resume`: resourceVersion to go on from, "" none. `known`: NULL-terminated names the subscriber
     * holds already, so that a complete LIST can tell which are gone. Copied. */
    HF_MUST_USE int (*subscribe)(void *ctx, const char *kind, const char *name, const char *resume,
                                 const char *const *known, const struct hf_source_sink *sink,
                                 struct hf_subscription **ret_subscription, struct hf_err *err);
    void (*unsubscribe)(void *ctx, struct hf_subscription *subscription); /* NULL is fine */
    /* Make a proven complete check now (MetaServer: one LIST, when its turn comes; API server: nothing when the watch is alive, but
     * contact and a mark not told yet are told). Called each interval. */
    void (*refresh)(void *ctx, struct hf_subscription *subscription);
    /* The subscriber does not keep this object as it was told now (from inside `upsert`, or later): it is told again with each complete
     * list. `matters`: that it is gone is told too; else the source may forget it, so that what does not concern a node uses up none
     * of the source's bounds either. */
    void (*decline)(void *ctx, struct hf_subscription *subscription, const char *name, bool matters);
    /* A complete list soon, at a random moment (a label that changed on the whole fleet must not bring it all at once); `synced` is
     * not told before its end. Asked for again before it began, it is still one. */
    void (*relist)(void *ctx, struct hf_subscription *subscription);
    /* Server-side apply of `body` (apiVersion, kind, metadata.name, and the fields we own). subresource: "status" or NULL.
     * done: r = 0 the source has it (2xx from a real server; written and synced for a folder); -EAGAIN not now, keep it and
     * try later (retry_after_ns may say when); -ECONNREFUSED... not in reach; -EBADMSG refused for good (422, 400); -EACCES 403;
     * -ENOENT the object or kind does not exist. Each body is complete: what an earlier one had and this one lacks is given up
     * (DESIGN 6). Behind a MetaServer without contact it is refused at once (-EHOSTUNREACH), so that nobody waits 10 s: write
     * again when contact is PROVEN. `answer` is the object as the source has it now, or NULL; borrowed. */
    HF_MUST_USE int (*apply)(void *ctx, const json_t *body, const char *subresource,
                             void (*done)(void *arg, int r, uint64_t retry_after_ns, const json_t *answer,
                                          const struct hf_err *err),
                             void *arg, struct hf_delivery **ret_delivery, struct hf_err *err);
    void (*abandon)(void *ctx, struct hf_delivery *delivery);
    /* When the real source last gave a sign of life, monotonic: a byte of a watch, an answer (behind a MetaServer: a list that
     * proves the cloud; a folder: a look that succeeded). 0: not yet. Costs nothing to ask; `contact` is told much less often. */
    uint64_t (*heard_ns)(void *ctx);
};
