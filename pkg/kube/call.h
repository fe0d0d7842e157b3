/* SPDX-License-Identifier: Apache-2.0 */
/* kube/call.h - one request to any resource of the API server, such as a Lease, an Event or a page of EdgeNodes.
 *
 * A call uses the address, the credentials, the TLS settings, the metrics and the field manager of its client
 * (kube/kube.h). After the first 401 to a call, the client sends the request once more. Before that, it reads its
 * credentials again, unless it did so within the last 5 s. To follow objects, subscribe instead (kube/source.h).
 *
 * Threads: loop thread only. Memory: the client copies every argument before hf_kube_call_send() returns. All pointers
 * in an answer are borrowed, and valid only until `done` returns. hf_kube_free() cancels the calls that are in
 * flight. */
#pragma once

#include "codec/json.h"
#include "kube/kube.h"

enum {
    HF_KUBE_CALL_MAX_IN_FLIGHT = 64,
    HF_KUBE_CALL_MAX_BODY = 2 << 20,   /* maximum size of a request's body in bytes */
    HF_KUBE_CALL_MAX_OBJECT = 3 << 20, /* maximum size in bytes of an answer to any verb except LIST */
    HF_KUBE_CALL_MAX_PAGE = 16 << 20,  /* maximum size in bytes of an answer to LIST */
};

#define HF_KUBE_CALL_TIMEOUT_NS (30 * HF_NS_PER_S) /* time limit of a call whose timeout_ns is 0 */

enum hf_kube_verb {
    HF_KUBE_GET,
    HF_KUBE_LIST,        /* one page, see `limit` and `next` */
    HF_KUBE_CREATE,      /* POST of `body` */
    HF_KUBE_UPDATE,      /* PUT of `body`, whose metadata.resourceVersion makes the write conditional */
    HF_KUBE_APPLY,       /* server-side apply of `body`, with the field manager of the client */
    HF_KUBE_MERGE_PATCH, /* JSON merge patch (RFC 7386) */
    HF_KUBE_JSON_PATCH,  /* JSON patch (RFC 6902): `body` is an array of operations */
    HF_KUBE_DELETE,      /* `body` is NULL or a DeleteOptions object, for example with preconditions */
    HF_KUBE_DISCOVER,    /* GET of the kinds of one group and version (APIResourceList), which `api_version` names */
};

struct hf_kube_call {
    enum hf_kube_verb verb;
    const char *api_version; /* "v1" or group and version, such as "coordination.k8s.io/v1" */
    const char *plural;      /* plural name of the resource, such as "leases"; NULL for DISCOVER */
    /* namespace of the object; NULL for cluster-scoped resources, for DISCOVER, or to list all namespaces */
    const char *ns;
    /* metadata.name of the object; NULL for LIST, for DISCOVER, and for CREATE without a subresource */
    const char *name;
    const char *subresource; /* for example "status" or "approval"; NULL for the object itself */
    const char *query;       /* more parameters, such as "labelSelector=a%3Db" (base/net/url_escape.h); or NULL */
    unsigned limit;          /* LIST: maximum number of items in the answer (0 means no limit) */
    const char *next;        /* LIST: `metadata.continue` of the previous page; NULL or "" for the first page */
    const json_t *body;      /* body of the request; NULL if the request has no body */
    /* APPLY: if another manager owns a field that `body` would change, true takes the field over, and false fails with
     * -ESTALE */
    bool force;
    const char *field_manager; /* field manager of a write; NULL means the field manager of the client */
    /* GET and LIST: true requests only the metadata of objects (PartialObjectMetadata). For a Node, the answer is then
     * a tenth as long. The answer still has apiVersion, kind and metadata. */
    bool metadata_only;
    uint64_t timeout_ns; /* time limit of the whole call, including its repetition after a 401 (0 means 30 s) */
};

/* The result of a call. Values of r:
 *   0              the server answered 2xx
 *   -EAGAIN        the caller may send the call again after retry_after_ns (429, 5xx and unexpected statuses)
 *   -EBADMSG       the server refuses the request for good (400, 405, 406, 413, 415, 422)
 *   -EACCES        401: the server does not accept the credentials; 403: the client lacks the right, or an admission
 *                  policy refuses the request
 *   -ENOENT        the object or its resource does not exist (404)
 *   -EEXIST        CREATE: an object with this name exists (409, reason AlreadyExists)
 *   -ESTALE        the object changed meanwhile, another manager owns a field, or the continue token has expired
 *                  (409 with any other reason, or 410)
 *   -E2BIG         the answer is larger than the limit
 *   -EPROTO        the answer does not come from an API server
 *   -EHOSTUNREACH  a proxy on this node answered in the place of the API server; the client did not send the call,
 *                  because the MetaServer has no contact to the cloud; or there is no route to the server
 *   -ENOMEM        memory ran out
 *   other -errno   no answer came (loop/http/http.h lists the codes)
 * If a write fails without a refusal by the server, the server may nevertheless have performed the write. */
struct hf_kube_answer {
    int r;
    int status;              /* HTTP status; 0 if no answer came */
    uint64_t retry_after_ns; /* header Retry-After, but at most 5 min; 0 if absent */
    uint64_t date_unix_ns;   /* header Date, the time of the server; 0 if absent */
    const json_t *object;    /* the answer as a tree if r is 0; otherwise NULL */
    /* LIST: number of items that the client cannot parse. The `items` in `object` do not contain them. */
    size_t unreadable;
    const char *reason; /* `reason` of the Status object that explains a refusal, such as "Conflict"; or "" */
    /* The body of a refusal as a tree. An API server sends a Status object, whose `details.causes` name each field at
     * fault. NULL if the body is not JSON, if no refusal came, or if r is 0. */
    const json_t *refusal;
    struct hf_err err; /* the failure and its cause, if r is not 0 */
};

typedef void hf_kube_call_done(void *arg, const struct hf_kube_answer *answer);

struct hf_kube_pending; /* a call in flight */

/* Sends a call. Returns 0, sets *ret_pending and later calls `done` once, but never before the function returns.
 * *ret_pending is valid until `done` begins. `done` may send new calls and cancel other calls. Behind a MetaServer
 * without proven contact to the cloud, a client that has a subscription does not send the call, and `done` gets
 * -EHOSTUNREACH. A client without a subscription sends the call, because only a subscription shows when contact is
 * back. If the call cannot start, the function returns -errno and does not call `done`. -EINVAL: the call has a wrong
 * combination of fields, or a name that no object can have. -EAGAIN: HF_KUBE_CALL_MAX_IN_FLIGHT calls are in flight.
 * -E2BIG: the body or the URL is too long. -ECANCELED: the process is stopping. -ENOMEM: out of memory. */
HF_MUST_USE int hf_kube_call_send(struct hf_kube *kube, const struct hf_kube_call *call, hf_kube_call_done *done,
                                  void *arg, struct hf_kube_pending **ret_pending, struct hf_err *err);

/* Cancels a call; its `done` then does not run. The server may nevertheless have performed the request. Accepts
 * NULL. */
void hf_kube_call_cancel(struct hf_kube_pending *pending);
