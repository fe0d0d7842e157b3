/* SPDX-License-Identifier: Apache-2.0 */
/* kube/call.h - one request to any resource of the API server, with the address, credentials, metrics and field manager
 * of its client (kube/kube.h). To follow objects, subscribe instead (kube/source.h).
 *
 * After the first 401 the client reads its credentials again, unless it did so within 5 s, and sends the request once
 * more. Memory: arguments are copied; pointers in an answer are valid until `done` returns. hf_kube_free() cancels the
 * calls. */
#pragma once

#include "codec/json.h"
#include "kube/kube.h"

enum {
    HF_KUBE_CALL_MAX_IN_FLIGHT = 64,
    HF_KUBE_CALL_MAX_BODY = 2 << 20,   /* bytes of a request's body */
    HF_KUBE_CALL_MAX_OBJECT = 3 << 20, /* bytes of an answer to any verb but LIST */
    HF_KUBE_CALL_MAX_PAGE = 16 << 20,  /* bytes of an answer to LIST */
};

#define HF_KUBE_CALL_TIMEOUT_NS (30 * HF_NS_PER_S)

enum hf_kube_verb {
    HF_KUBE_GET,
    HF_KUBE_LIST,        /* one page, see `limit` and `next` */
    HF_KUBE_CREATE,      /* POST */
    HF_KUBE_UPDATE,      /* PUT; metadata.resourceVersion in `body` makes it conditional */
    HF_KUBE_APPLY,       /* server-side apply */
    HF_KUBE_MERGE_PATCH, /* RFC 7386 */
    HF_KUBE_JSON_PATCH,  /* RFC 6902; `body` is an array of operations */
    HF_KUBE_DELETE,      /* `body`: NULL or a DeleteOptions object */
    HF_KUBE_DISCOVER,    /* GET of the kinds of the group and version `api_version` (APIResourceList) */
};

struct hf_kube_call {
    enum hf_kube_verb verb;
    const char *api_version; /* such as "v1" or "coordination.k8s.io/v1" */
    const char *plural;      /* such as "leases"; NULL for DISCOVER */
    /* NULL: cluster-scoped, DISCOVER, or LIST of all namespaces */
    const char *ns;
    /* NULL: LIST, DISCOVER, and CREATE without a subresource */
    const char *name;
    const char *subresource; /* such as "status"; NULL: the object itself */
    const char *query;       /* such as "labelSelector=a%3Db" (base/net/url_escape.h), or NULL */
    unsigned limit;          /* LIST: items of a page; 0: no limit */
    const char *next;        /* LIST: `metadata.continue` of the previous page; NULL or "": the first */
    const json_t *body;      /* NULL: none */
    /* APPLY: takes over fields of other managers; false: -ESTALE if `body` would change one */
    bool force;
    const char *field_manager; /* of a write; NULL: that of the client */
    /* GET and LIST: only metadata (PartialObjectMetadata), with apiVersion and kind; a tenth of a Node */
    bool metadata_only;
    uint64_t timeout_ns; /* of the whole call, with its repetition; 0: HF_KUBE_CALL_TIMEOUT_NS */
};

/* Values of r:
 *   0              2xx
 *   -EAGAIN        try again after retry_after_ns (429, 5xx and unexpected statuses)
 *   -EBADMSG       refused for good (400, 405, 406, 413, 415, 422)
 *   -EACCES        401: credentials not accepted; 403: a right is missing, or an admission policy refuses
 *   -ENOENT        no such object or resource (404)
 *   -EEXIST        CREATE: the object exists (409, reason AlreadyExists)
 *   -ESTALE        the object changed meanwhile, another manager owns a field, or the continue token has expired
 *                  (any other 409, or 410)
 *   -E2BIG         the answer is too large
 *   -EPROTO        the answer does not come from an API server
 *   -EHOSTUNREACH  a proxy on this node answered for the API server; not sent, because the MetaServer has no contact
 *                  to the cloud; or no route
 *   -ENOMEM
 *   other -errno   no answer came (loop/http/http.h)
 * Unless the server refused it, a failed write may have been performed. */
struct hf_kube_answer {
    int r;
    int status;              /* HTTP status; 0: no answer */
    uint64_t retry_after_ns; /* Retry-After, at most 5 min; 0: absent */
    uint64_t date_unix_ns;   /* Date of the server; 0: absent */
    const json_t *object;    /* NULL unless r is 0 */
    /* LIST: items that cannot be parsed; not in `object` */
    size_t unreadable;
    const char *reason; /* of a Status object, such as "Conflict"; or "" */
    /* Body of a refusal, usually a Status object whose `details.causes` name the fields at fault; NULL: none, or not
     * JSON. */
    const json_t *refusal;
    struct hf_err err; /* valid if r is not 0 */
};

typedef void hf_kube_call_done(void *arg, const struct hf_kube_answer *answer);

struct hf_kube_pending;

/* Later calls `done` once, never before the function returns; *ret_pending is valid until then. `done` may send and
 * cancel calls. Behind a MetaServer without proven contact to the cloud, `done` gets -EHOSTUNREACH without a request,
 * but only if the client has a subscription, which shows when contact is back. After -errno `done` is not called.
 * -EINVAL: a wrong combination of fields, or an impossible name. -EAGAIN: HF_KUBE_CALL_MAX_IN_FLIGHT calls are in
 * flight. -E2BIG: the body or URL is too long. -ECANCELED: the process is stopping. */
HF_MUST_USE int hf_kube_call_send(struct hf_kube *kube, const struct hf_kube_call *call, hf_kube_call_done *done,
                                  void *arg, struct hf_kube_pending **ret_pending, struct hf_err *err);

/* Cancels it without a call of `done`; the server may have performed the request. Accepts NULL. */
void hf_kube_call_cancel(struct hf_kube_pending *pending);
