/* SPDX-License-Identifier: Apache-2.0 */
/* The interface to the source of desired state, to which the agent also writes its status: an API server, KubeEdge's
 * MetaServer, or a folder.
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
    HF_CONTACT_PROVEN, /* has just answered */
    HF_CONTACT_LOST,   /* a MetaServer's store may still answer */
};

struct hf_server_date {
    uint64_t unix_ns;       /* API server's; 0: unknown, as behind a MetaServer */
    uint64_t round_trip_ns; /* the request began so long before, at most */
};

/* NULL: not called. Objects are borrowed. May end any subscription, and write. */
struct hf_source_sink {
    void *arg;
    /* Added, modified or listed; after a restart or relist the same version may come again. kind and apiVersion are
     * set. */
    void (*upsert)(void *arg, json_t *object);
    void (*gone)(void *arg, const char *name);
    /* All that exists is reported; again after each complete list. The first after a resume: the resourceVersion was
     * accepted, changes may follow. "": in doubt; a later process must list to learn what is gone. */
    void (*synced)(void *arg, const char *resource_version);
    /* A later process may resume here if all reported before is on disk. After each list ("": in doubt), and about once
     * a minute: write the newest every 10 minutes and at the end. An older one costs a replay, at worst a list. */
    void (*version)(void *arg, const char *resource_version);
    /* Until the other kind. PROVEN again about once a minute, LOST with a newer reason. */
    void (*contact)(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err);
    /* A doubt about an object or answer, usually skipped. `what`: it, or a file. ESTALE: maybe outdated, from a
     * MetaServer's store; or a folder is suddenly empty. */
    void (*refused)(void *arg, const char *what, const struct hf_err *err);
    /* A file (or the folder, with too many); err NULL: good again, or removed. Also in `refused`; both to one
     * subscriber, as the objects' kind is unknown. */
    void (*unreadable)(void *arg, const char *what, const struct hf_err *err);
    /* An object cannot be parsed; an earlier version stays valid. err NULL: it is good again, or deleted. `name`: its
     * place in a list if the name is unreadable, too. */
    void (*unreadable_object)(void *arg, const char *name, const struct hf_err *err);
};

struct hf_source_ops;

/* Embedded in a source's structs. */
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
    /* Cluster-scoped: "EdgeUpdate", "SyncPolicy", "EdgeNode", "Node", "CertificateSigningRequest"; `name` NULL: all.
     * `resume`: a resourceVersion, or "". `known`: the subscriber's, of which a complete list shows what is gone.
     * Copied. */
    HF_MUST_USE int (*subscribe)(void *ctx, const char *kind, const char *name, const char *resume,
                                 const char *const *known, const struct hf_source_sink *sink,
                                 struct hf_subscription **ret_subscription, struct hf_err *err);
    void (*unsubscribe)(void *ctx, struct hf_subscription *subscription); /* accepts NULL */
    /* After subscribe(), for each that the subscriber has: older answers are outdated. */
    void (*holds)(void *ctx, struct hf_subscription *subscription, const char *name, const char *resource_version);
    /* Once per SyncPolicy `interval`. MetaServer: a LIST, one subscription after the other. Open watch: contact and
     * version, or a list after one in doubt. Folder: a scan. */
    void (*refresh)(void *ctx, struct hf_subscription *subscription);
    /* Not kept; each complete list reports it again. `matters`: report when it is gone; else the source may forget it.
     * */
    void (*decline)(void *ctx, struct hf_subscription *subscription, const char *name, bool matters);
    /* Complete, soon, at a random moment (labels may change on all nodes); no `synced` before its end. */
    void (*relist)(void *ctx, struct hf_subscription *subscription);
    /* apiVersion, kind, metadata.name and all fields that the agent owns; a field that is missing now is given up.
     * `subresource`: "status" or NULL. -EHOSTUNREACH: a MetaServer without contact; again when PROVEN. */
    HF_MUST_USE int (*apply)(void *ctx, const json_t *body, const char *subresource, hf_source_done *done, void *arg,
                             struct hf_delivery **ret_delivery, struct hf_err *err);
    /* Without `done`; may be done all the same. Accepts NULL. */
    void (*abandon)(void *ctx, struct hf_delivery *delivery);
    /* The source's last sign of life; 0: none. API server: watch, list, write, ping. MetaServer: a list from the cloud.
     * Folder: a scan. Sends nothing. */
    uint64_t (*heard_ns)(void *ctx);
};
