/* SPDX-License-Identifier: Apache-2.0 */
/* One request to any resource, with its client's address, credentials, metrics and field manager (kube/kube.h). To
 * follow objects: kube/source.h. After the first 401 reads the credentials again, unless it did within 5 s, and sends
 * once more. Copies arguments; pointers in an answer are valid until `done` returns. hf_kube_free() cancels calls. */
#pragma once

#include "codec/json.h"
#include "kube/kube.h"

enum {
    HF_KUBE_CALL_MAX_IN_FLIGHT = 64,
    HF_KUBE_CALL_MAX_BODY = 2 << 20,   /* bytes of a request */
    HF_KUBE_CALL_MAX_OBJECT = 3 << 20, /* bytes of an answer to any verb but LIST */
    HF_KUBE_CALL_MAX_PAGE = 16 << 20,  /* bytes of an answer to LIST */
};

#define HF_KUBE_CALL_TIMEOUT_NS (30 * HF_NS_PER_S)

enum hf_kube_verb {
    HF_KUBE_GET,
    HF_KUBE_LIST,        /* one page: `limit`, `next` */
    HF_KUBE_CREATE,      /* POST */
    HF_KUBE_UPDATE,      /* PUT; conditional by metadata.resourceVersion */
    HF_KUBE_APPLY,       /* server-side apply */
    HF_KUBE_MERGE_PATCH, /* RFC 7386 */
    HF_KUBE_JSON_PATCH,  /* RFC 6902: an array of operations */
    HF_KUBE_DELETE,      /* `body`: NULL or DeleteOptions */
    HF_KUBE_DISCOVER,    /* kinds of `api_version` (APIResourceList) */
};

struct hf_kube_call {
    enum hf_kube_verb verb;
    const char *api_version; /* "v1", "coordination.k8s.io/v1" */
    const char *plural;      /* "leases"; NULL: DISCOVER */
    /* NULL: cluster-scoped, DISCOVER, LIST of all */
    const char *ns;
    /* NULL: LIST, DISCOVER, CREATE without a subresource */
    const char *name;
    const char *subresource; /* "status"; NULL: the object */
    const char *query;       /* "labelSelector=a%3Db" (base/net/url_escape.h), or NULL */
    unsigned limit;          /* LIST: of a page; 0: none */
    const char *next;        /* LIST: the last page's `metadata.continue`; NULL or "": the first page */
    const json_t *body;      /* or NULL */
    /* APPLY: takes over others' fields; else -ESTALE if `body` would change one */
    bool force;
    const char *field_manager; /* NULL: the client's */
    /* GET, LIST: PartialObjectMetadata with apiVersion and kind, a tenth of a Node */
    bool metadata_only;
    uint64_t timeout_ns; /* with the repetition; 0: HF_KUBE_CALL_TIMEOUT_NS */
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
    int status;              /* 0: no answer */
    uint64_t retry_after_ns; /* at most 5 min; 0: absent */
    uint64_t date_unix_ns;   /* server's; 0: absent */
    const json_t *object;    /* r 0; else NULL */
    /* LIST: items not in `object` */
    size_t unreadable;
    const char *reason; /* of a Status, such as "Conflict"; or "" */
    /* Usually a Status, whose `details.causes` name the fields at fault; NULL: none, or no JSON. */
    const json_t *refusal;
    struct hf_err err; /* r not 0 */
};

typedef void hf_kube_call_done(void *arg, const struct hf_kube_answer *answer);

struct hf_kube_pending;

/* `done`: once, after the return; may send and cancel. *ret_pending is valid until then. Behind a MetaServer without
 * proven contact -EHOSTUNREACH without a request, if the client has a subscription, which shows when contact is back.
 * After -errno no `done`. -EINVAL: wrong combination or name. -EAGAIN: HF_KUBE_CALL_MAX_IN_FLIGHT. -E2BIG: body or URL.
 * -ECANCELED: the process stops. */
HF_MUST_USE int hf_kube_call_send(struct hf_kube *kube, const struct hf_kube_call *call, hf_kube_call_done *done,
                                  void *arg, struct hf_kube_pending **ret_pending, struct hf_err *err);

/* Without `done`; the server may have done it. Accepts NULL. */
void hf_kube_call_cancel(struct hf_kube_pending *pending);
