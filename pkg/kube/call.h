/* SPDX-License-Identifier: Apache-2.0 */
/* One request to any resource, by a client (kube/kube.h). After a first 401 the request is usually repeated, with
 * credentials read within the last 5 s. Arguments are copied; an answer is valid until `done` returns. */
#pragma once

#include "codec/json.h"
#include "kube/kube.h"

enum {
    HF_KUBE_CALL_MAX_IN_FLIGHT = 64,
    HF_KUBE_CALL_MAX_BODY = 2 << 20,   /* bytes of a request */
    HF_KUBE_CALL_MAX_OBJECT = 3 << 20, /* bytes of an answer, except to LIST */
    HF_KUBE_CALL_MAX_PAGE = 16 << 20,  /* bytes of an answer to LIST */
};

#define HF_KUBE_CALL_TIMEOUT_NS (30 * HF_NS_PER_S)

enum hf_kube_verb {
    HF_KUBE_GET,
    HF_KUBE_LIST, /* one page */
    HF_KUBE_CREATE,
    HF_KUBE_UPDATE, /* PUT; with metadata.resourceVersion: conditional */
    HF_KUBE_APPLY,
    HF_KUBE_MERGE_PATCH, /* RFC 7386 */
    HF_KUBE_JSON_PATCH,  /* RFC 6902 */
    HF_KUBE_DELETE,      /* `body`: NULL or DeleteOptions */
    HF_KUBE_DISCOVER,    /* asks for the APIResourceList of `api_version` */
};

struct hf_kube_call {
    enum hf_kube_verb verb;
    const char *api_version; /* "v1", "coordination.k8s.io/v1" */
    const char *plural;      /* "leases"; NULL for DISCOVER */
    /* NULL: cluster-scoped, DISCOVER, or LIST of all namespaces */
    const char *ns;
    /* NULL for LIST, DISCOVER, and CREATE without a subresource */
    const char *name;
    const char *subresource; /* "status"; or NULL */
    const char *query;       /* "labelSelector=a%3Db" (base/net/url_escape.h), or NULL */
    unsigned limit;          /* LIST: most objects of a page; 0: no limit */
    const char *next;        /* LIST: `metadata.continue` of the page before; NULL or "": first page */
    const json_t *body;
    /* APPLY: takes over fields of other managers; false: a change of such a field fails with -ESTALE */
    bool force;
    const char *field_manager; /* NULL: the client's */
    /* GET, LIST: asks for PartialObjectMetadata */
    bool metadata_only;
    uint64_t timeout_ns; /* for both attempts together; 0: HF_KUBE_CALL_TIMEOUT_NS */
};
#define HF_KUBE_CALL(its_verb, its_version, its_plural, its_name, ...)                                                 \
    ((struct hf_kube_call){                                                                                            \
        .verb = (its_verb), .api_version = (its_version), .plural = (its_plural), .name = (its_name), __VA_ARGS__})

/* Values of r:
 *   0              2xx
 *   -EAGAIN        try again after retry_after_ns (429, 5xx and unexpected statuses)
 *   -EBADMSG       refused for good (400, 405, 406, 413, 415, 422)
 *   -EACCES        401: credentials; 403: rights, or an admission policy
 *   -ENOENT        no such object or resource (404)
 *   -EEXIST        CREATE: the object exists (409, reason AlreadyExists)
 *   -ESTALE        such as a changed object, another manager's field, an expired continue token
 *                  (any other 409, or 410)
 *   -E2BIG         too large an answer
 *   -EPROTO        not an API server's answer
 *   -EHOSTUNREACH  a proxy on this node answered; no route; or nothing was sent, because the
 *                  MetaServer has no contact to the cloud
 *   -ENOMEM
 *   other -errno   no answer (loop/http/http.h)
 * A failed write may have been done, unless it was refused. */
struct hf_kube_answer {
    int r;
    int status;
    uint64_t retry_after_ns; /* at most 5 min */
    uint64_t date_unix_ns;
    const json_t *object; /* NULL unless r is 0 */
    /* LIST: number of unparsable items, which `object` lacks */
    size_t unreadable;
    const char *reason; /* from a Status, such as "Conflict"; or "" */
    /* Body of a refusal, usually a Status whose `details.causes` name the fields; or NULL. */
    const json_t *refusal;
    struct hf_err err;
};

typedef void hf_kube_call_done(void *arg, const struct hf_kube_answer *answer);

struct hf_kube_pending;

/* `done` is called once, after the return (never after -errno), and may send and cancel calls; *ret_pending is valid
 * until then. -EINVAL: wrong combination of fields, or a bad name. -EAGAIN: HF_KUBE_CALL_MAX_IN_FLIGHT calls are under
 * way. -E2BIG: body or URL too long. */
HF_MUST_USE int hf_kube_call_send(struct hf_kube *kube, const struct hf_kube_call *call, hf_kube_call_done *done,
                                  void *arg, struct hf_kube_pending **ret_pending, struct hf_err *err);

/* No `done` follows; the server may have acted. Accepts NULL. */
void hf_kube_call_cancel(struct hf_kube_pending *pending);
