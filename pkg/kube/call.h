/* kube/call.h - one request to any resource of the API server, such as a Lease, an Event or a page of EdgeNodes.
 *
 * A call uses the address, the credentials, the TLS settings, the metrics and the field manager of its client
 * (kube/kube.h). After a 401 the client reads its credentials again and sends the request once more. A call is for
 * single requests; a program that follows objects subscribes instead (kube/source.h).
 *
 * Threads: loop thread only. Memory: the client copies every argument before hf_kube_call_send() returns. All pointers
 * in an answer are borrowed, and valid only until `done` returns. hf_kube_free() cancels the calls that are in
 * flight. */
#pragma once

#include "codec/json.h"
#include "kube/kube.h"

enum {
    HF_KUBE_CALL_MAX_IN_FLIGHT = 64,
    HF_KUBE_CALL_MAX_BODY = 2 << 20,   /* maximum size of the body of a request, in bytes */
    HF_KUBE_CALL_MAX_OBJECT = 3 << 20, /* maximum size of an answer to every verb except LIST, in bytes */
    HF_KUBE_CALL_MAX_PAGE = 16 << 20,  /* maximum size of an answer to LIST, in bytes */
};

#define HF_KUBE_CALL_TIMEOUT_NS (30 * HF_NS_PER_S) /* time limit of a call whose timeout_ns is 0 */

enum hf_kube_verb {
    HF_KUBE_GET,
    HF_KUBE_LIST,        /* one page, see `limit` and `next` */
    HF_KUBE_CREATE,      /* POST of `body` */
    HF_KUBE_UPDATE,      /* PUT of `body`, whose metadata.resourceVersion makes the write conditional */
    HF_KUBE_APPLY,       /* server-side apply of `body`, with the field manager of the client */
    HF_KUBE_MERGE_PATCH, /* JSON merge patch (RFC 7386) */
    HF_KUBE_DELETE,      /* `body` is NULL or a DeleteOptions object, for example with preconditions */
};

struct hf_kube_call {
    enum hf_kube_verb verb;
    const char *api_version; /* "v1" or group and version, such as "coordination.k8s.io/v1" */
    const char *plural;      /* plural name of the resource, such as "leases" */
    const char *ns;          /* namespace of the object; NULL for cluster-scoped resources, or to list all namespaces */
    const char *name;        /* metadata.name of the object; NULL for LIST and CREATE */
    const char *subresource; /* for example "status" or "approval"; NULL for the object itself */
    const char *query;       /* more parameters, such as "labelSelector=a%3Db" (base/net/url_escape.h); or NULL */
    unsigned limit;          /* LIST: maximum number of items in the answer (0 means no limit) */
    const char *next;        /* LIST: `metadata.continue` of the previous page; NULL or "" for the first page */
    const json_t *body;      /* body of the request, or NULL if it has none */
    bool force;              /* APPLY: true takes over fields that other managers own; false answers -ESTALE */
    /* GET and LIST: true asks for metadata alone (PartialObjectMetadata): a Node without its status and images is a
     * tenth as long. The answer still has apiVersion, kind and metadata. */
    bool metadata_only;
    uint64_t timeout_ns; /* time limit of the whole call, with its repetition after a 401 (0 means 30 s) */
};

/* The result of a call. Values of r:
 *   0              the server answered 2xx
 *   -EAGAIN        the caller may send the call again, not before retry_after_ns have passed (429, 5xx)
 *   -EBADMSG       the server refuses the request for good (400, 405, 406, 413, 415, 422)
 *   -EACCES        the client lacks the right, or an admission policy refuses the request (401, 403)
 *   -ENOENT        the object or its resource does not exist (404)
 *   -EEXIST        CREATE: an object with this name exists (409, reason AlreadyExists)
 *   -ESTALE        the object changed meanwhile, or the continue token has expired (other 409, 410)
 *   -E2BIG         the answer is larger than the limit
 *   -EPROTO        the answer is not the answer of an API server
 *   other -errno   the server is unreachable (the list is in loop/http/http.h); nobody knows if a write took place */
struct hf_kube_answer {
    int r;
    int status;              /* HTTP status; 0 if no answer came */
    uint64_t retry_after_ns; /* header Retry-After; 0 if absent */
    uint64_t date_unix_ns;   /* header Date, the time of the server; 0 if absent */
    const json_t *object;    /* the answer as a tree if r is 0; otherwise NULL */
    /* LIST: number of items that the client cannot parse. `items` of `object` does not contain these items. */
    size_t unreadable;
    const char *reason; /* `reason` of the Status object that explains a refusal, such as "Conflict"; or "" */
    struct hf_err err;  /* the failure and its cause, if r is not 0 */
};

typedef void hf_kube_call_done(void *arg, const struct hf_kube_answer *answer);

struct hf_kube_pending; /* a call in flight */

/* Sends a call. Returns 0, sets *ret_pending and later calls `done` once, but never before the function returns.
 * *ret_pending ends before `done` begins, so the caller should forget it first thing in `done`; `done` may send new
 * calls and cancel others. Behind a MetaServer without contact to the cloud the call fails with -EHOSTUNREACH, while
 * the client has subscriptions that seek this contact. If the call cannot start, the function returns -errno and does
 * not call `done`. -EINVAL: the call has a wrong combination of fields, or a name that no object can have. -EAGAIN:
 * HF_KUBE_CALL_MAX_IN_FLIGHT calls are in flight. -E2BIG: the body is too large. -ENOMEM: out of memory. */
HF_MUST_USE int hf_kube_call_send(struct hf_kube *kube, const struct hf_kube_call *call, hf_kube_call_done *done,
                                  void *arg, struct hf_kube_pending **ret_pending, struct hf_err *err);

/* Ends a call without a call of its `done`. The server may have performed the request nevertheless. Accepts NULL. */
void hf_kube_call_cancel(struct hf_kube_pending *pending);
