/* SPDX-License-Identifier: Apache-2.0 */
/* One request to any resource, by its client's address, credentials, metrics and field manager (kube/kube.h). After the
 * first 401 rereads the credentials, unless read within 5 s, and sends once more. Copies arguments; an answer is valid
 * until `done` returns. hf_kube_free() cancels calls. */
#pragma once

#include "codec/json.h"
#include "kube/kube.h"

enum {
    HF_KUBE_CALL_MAX_IN_FLIGHT = 64,
    HF_KUBE_CALL_MAX_BODY = 2 << 20,   /* bytes */
    HF_KUBE_CALL_MAX_OBJECT = 3 << 20, /* of an answer to other verbs than LIST */
    HF_KUBE_CALL_MAX_PAGE = 16 << 20,  /* of an answer to LIST */
};

#define HF_KUBE_CALL_TIMEOUT_NS (30 * HF_NS_PER_S)

enum hf_kube_verb {
    HF_KUBE_GET,
    HF_KUBE_LIST,        /* one page */
    HF_KUBE_CREATE,      /* POST */
    HF_KUBE_UPDATE,      /* PUT; with metadata.resourceVersion: conditional */
    HF_KUBE_APPLY,       /* server-side apply */
    HF_KUBE_MERGE_PATCH, /* RFC 7386 */
    HF_KUBE_JSON_PATCH,  /* RFC 6902: array of operations */
    HF_KUBE_DELETE,      /* `body`: NULL or DeleteOptions */
    HF_KUBE_DISCOVER,    /* APIResourceList of `api_version` */
};

struct hf_kube_call {
    enum hf_kube_verb verb;
    const char *api_version; /* "v1", "coordination.k8s.io/v1" */
    const char *plural;      /* "leases"; NULL: DISCOVER */
    /* NULL: cluster-scoped, DISCOVER, LIST of all */
    const char *ns;
    /* NULL: LIST, DISCOVER, CREATE without a subresource */
    const char *name;
    const char *subresource; /* "status"; or NULL */
    const char *query;       /* "labelSelector=a%3Db" (base/net/url_escape.h), or NULL */
    unsigned limit;          /* LIST: a page's */
    const char *next;        /* LIST: last page's `metadata.continue`; NULL, "": first page */
    const json_t *body;
    /* APPLY: takes over others' fields; else -ESTALE if it would change one */
    bool force;
    const char *field_manager; /* NULL: the client's */
    /* GET, LIST: PartialObjectMetadata */
    bool metadata_only;
    uint64_t timeout_ns; /* for both attempts; 0: HF_KUBE_CALL_TIMEOUT_NS */
};
/* After the name (or NULL) follow other fields: .body = body. */
#define HF_KUBE_CALL(its_verb, its_version, its_plural, its_name, ...)                                                 \
    ((struct hf_kube_call){                                                                                            \
        .verb = (its_verb), .api_version = (its_version), .plural = (its_plural), .name = (its_name), __VA_ARGS__})

/* Values of r:
 *   0              2xx
 *   -EAGAIN        later: retry_after_ns (429, 5xx and unexpected statuses)
 *   -EBADMSG       refused for good (400, 405, 406, 413, 415, 422)
 *   -EACCES        401: credentials; 403: rights, or an admission policy
 *   -ENOENT        no such object or resource (404)
 *   -EEXIST        CREATE: the object exists (409, reason AlreadyExists)
 *   -ESTALE        object changed, field of another manager, or expired continue token
 *                  (any other 409, or 410)
 *   -E2BIG         too large an answer
 *   -EPROTO        not an API server's answer
 *   -EHOSTUNREACH  a proxy on this node answered; not sent, as the MetaServer has no contact
 *                  to the cloud; or no route
 *   -ENOMEM
 *   other -errno   no answer (loop/http/http.h)
 * A failed write that was not refused may have been done. */
struct hf_kube_answer {
    int r;
    int status;
    uint64_t retry_after_ns; /* 5 min at most */
    uint64_t date_unix_ns;
    const json_t *object; /* r 0, else NULL */
    /* LIST: items that cannot be parsed, which `object` lacks */
    size_t unreadable;
    const char *reason; /* a Status's, such as "Conflict"; or "" */
    /* Usually a Status, its `details.causes` naming the fields at fault; or NULL. */
    const json_t *refusal;
    struct hf_err err;
};

typedef void hf_kube_call_done(void *arg, const struct hf_kube_answer *answer);

struct hf_kube_pending;

/* `done`: once, after the return; may send and cancel. *ret_pending is valid until then. `done` gets -EHOSTUNREACH
 * without a request behind a MetaServer without proven contact, if a subscription shows when contact is back. After
 * -errno no `done`. -EINVAL: wrong combination or name. -EAGAIN: HF_KUBE_CALL_MAX_IN_FLIGHT. -E2BIG: body or URL.
 * -ECANCELED: the process stops. */
HF_MUST_USE int hf_kube_call_send(struct hf_kube *kube, const struct hf_kube_call *call, hf_kube_call_done *done,
                                  void *arg, struct hf_kube_pending **ret_pending, struct hf_err *err);

/* No `done` follows; the server may have acted. Accepts NULL. */
void hf_kube_call_cancel(struct hf_kube_pending *pending);
