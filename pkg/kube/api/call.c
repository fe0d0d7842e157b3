/* SPDX-License-Identifier: Apache-2.0 */
/* Single requests to any resource (kube/call.h): check, copy, send, answer once.
 *
 * hf_kube_call_send() checks the fields by the table of verbs, and copies all that the request needs. What fails from
 * there on reaches `done` in the next turn of the loop (`unstarted`): the caller is never called back inside its own
 * call. The answer of a list is split by rules/envelope.h, so that an item that cannot be parsed costs itself alone.
 *
 * A 401 is answered by one more request with credentials that were read again, within the same deadline: a token may
 * have been renewed between our read and the server's. A call in flight is in the client's list, so that
 * hf_kube_free() ends them all. `done` may cancel other calls and send new ones: a call leaves the list, and is freed,
 * before or without the use of anything after its `done`. */
#include "kube/call.h"

#include <errno.h>
#include <string.h>

#include "base/net/url_escape.h"
#include "kube/api/client.h"
#include "kube/rules/envelope.h"

enum { MAX_URL = 16 << 10 };

struct hf_kube_pending {
    struct hf_list link;
    struct hf_kube *kube;
    struct hf_exchange *exchange;
    hf_kube_call_done *done;
    void *arg;
    enum hf_kube_verb verb;
    bool metadata_only;
    char *url;
    struct hf_buf body;
    uint64_t deadline_ns; /* monotonic time at which the call ends */
    bool reauthed;        /* a 401 came: sent once more with fresh credentials */
    int unstarted;        /* < 0: no request; the next turn answers with this error */
};

/* The verbs: how HTTP spells each one, and the label of each one in metrics. */
static const struct {
    const char *method, *label, *content_type;
    bool needs_name, needs_body;
} verbs[] = {
    [HF_KUBE_GET] = {"GET", "get", NULL, true, false},
    [HF_KUBE_LIST] = {"GET", "list", NULL, false, false},
    [HF_KUBE_CREATE] = {"POST", "create", "Content-Type: application/json", false, true},
    [HF_KUBE_UPDATE] = {"PUT", "update", "Content-Type: application/json", true, true},
    /* JSON is YAML. */
    [HF_KUBE_APPLY] = {"PATCH", "apply", "Content-Type: application/apply-patch+yaml", true, true},
    [HF_KUBE_MERGE_PATCH] = {"PATCH", "patch", "Content-Type: application/merge-patch+json", true, true},
    [HF_KUBE_JSON_PATCH] = {"PATCH", "patch", "Content-Type: application/json-patch+json", true, true},
    [HF_KUBE_DELETE] = {"DELETE", "delete", "Content-Type: application/json", true, false},
    [HF_KUBE_DISCOVER] = {"GET", "discover", NULL, false, false},
};

static bool is_read(enum hf_kube_verb verb)
{
    return verb == HF_KUBE_GET || verb == HF_KUBE_LIST || verb == HF_KUBE_DISCOVER;
}

static void pending_free(struct hf_kube_pending *pending)
{
    hf_list_remove(&pending->link);
    hf_buf_done(&pending->body);
    free(pending->url);
    free(pending);
}

static void finish(struct hf_kube_pending *pending, const struct hf_kube_answer *answer)
{
    hf_kube_call_done *done = pending->done;
    void *arg = pending->arg;

    pending_free(pending);
    done(arg, answer);
}

/* ---- the URL ----------------------------------------------------------------------------------------------------- */

static bool is_plain(const char *text, const char *more)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

    while (*text != '\0' && (strchr(plain, *text) != NULL || strchr(more, *text) != NULL))
        text++;
    return *text == '\0';
}

/* A segment of the path that HTTP clients would take for the folder itself or its parent is no name. */
static bool is_segment(const char *text)
{
    return *text != '\0' && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

/* DISCOVER asks about a group and version; every other verb needs a resource of it. */
static int check_resource(const struct hf_kube_call *call, struct hf_err *err)
{
    bool discover = call->verb == HF_KUBE_DISCOVER;

    if (*call->api_version == '\0' || !is_plain(call->api_version, "./") || strstr(call->api_version, "..") != NULL ||
        discover != (call->plural == NULL) || (!discover && (*call->plural == '\0' || !is_plain(call->plural, ""))))
        return hf_err_set(err, EINVAL, "'%.60s' of '%.60s' is not a resource", call->plural != NULL ? call->plural : "",
                          call->api_version);
    if (discover && (call->ns != NULL || call->name != NULL || call->body != NULL))
        return hf_err_set(err, EINVAL, "'%.60s' has kinds, not objects", call->api_version);
    return 0;
}

static int check(const struct hf_kube_call *call, struct hf_err *err)
{
    bool named = call->name != NULL, sub = call->subresource != NULL;
    int r = check_resource(call, err);

    if (r < 0)
        return r;
    if ((call->ns != NULL && !is_segment(call->ns)) || (named && !is_segment(call->name)) ||
        (sub && (!named || *call->subresource == '\0' || !is_plain(call->subresource, ""))))
        return hf_err_set(err, EINVAL, "no object of '%s' has this name", call->plural);
    if ((verbs[call->verb].needs_name && !named) || (call->verb == HF_KUBE_LIST && named) ||
        (call->verb == HF_KUBE_CREATE && named && !sub))
        return hf_err_set(err, EINVAL, "%s of '%s' %s a name", verbs[call->verb].label, call->plural,
                          named ? "does not take" : "needs");
    if (verbs[call->verb].needs_body != (call->body != NULL) && call->verb != HF_KUBE_DELETE)
        return hf_err_set(err, EINVAL, "%s of '%s' %s a body", verbs[call->verb].label, call->plural,
                          call->body != NULL ? "does not take" : "needs");
    return 0;
}

/* "/segment", or nothing. */
static int add_segment(const char *text, struct hf_buf *out)
{
    int r = text != NULL ? hf_buf_add_str(out, "/") : 0;

    return r == 0 && text != NULL ? hf_url_escape(text, out) : r;
}

/* "key=value" behind '?' or '&'. `mark` is the next one of them. */
static int add_parameter(const char *key, const char *value, char *mark, struct hf_buf *out)
{
    int r = hf_buf_addf(out, "%c%s=", *mark, key);

    *mark = '&';
    return r == 0 ? hf_url_escape(value, out) : r;
}

static int add_query(const struct hf_kube *kube, const struct hf_kube_call *call, struct hf_buf *out)
{
    char mark = '?', limit[16];
    int r = 0;

    (void)snprintf(limit, sizeof(limit), "%u", call->limit);
    if (!is_read(call->verb) && call->verb != HF_KUBE_DELETE)
        r = add_parameter("fieldManager", call->field_manager != NULL ? call->field_manager : kube->p.field_manager,
                          &mark, out);
    if (r == 0 && call->verb == HF_KUBE_APPLY)
        r = add_parameter("force", call->force ? "true" : "false", &mark, out);
    if (r == 0 && call->verb == HF_KUBE_LIST && call->limit > 0)
        r = add_parameter("limit", limit, &mark, out);
    if (r == 0 && call->verb == HF_KUBE_LIST && call->next != NULL && *call->next != '\0')
        r = add_parameter("continue", call->next, &mark, out);
    if (r == 0 && call->query != NULL && *call->query != '\0')
        r = hf_buf_addf(out, "%c%s", mark, call->query);
    return r;
}

static int make_url(const struct hf_kube *kube, const struct hf_kube_call *call, struct hf_buf *out)
{
    const char *root = strchr(call->api_version, '/') != NULL ? "apis" : "api";
    int r = hf_buf_addf(out, "%s/%s/%s", kube->p.config->server, root, call->api_version);

    if (r == 0 && call->ns != NULL)
        r = hf_buf_add_str(out, "/namespaces");
    if (r == 0)
        r = add_segment(call->ns, out);
    if (r == 0)
        r = add_segment(call->plural, out);
    if (r == 0)
        r = add_segment(call->name, out);
    if (r == 0)
        r = add_segment(call->subresource, out);
    return r == 0 ? add_query(kube, call, out) : r;
}

/* ---- the answer -------------------------------------------------------------------------------------------------- */

/* The one table of statuses; source.h and call.h document its meaning. */
static int code_of_status(int status, const char *reason)
{
    switch (status) {
    case 401:
    case 403:
        return EACCES;
    case 404:
        return ENOENT;
    case 409:
        return strcmp(reason, "AlreadyExists") == 0 ? EEXIST : ESTALE;
    case 410:
        return ESTALE;
    case 400:
    case 405:
    case 406:
    case 413:
    case 415:
    case 422:
        return EBADMSG;
    default:
        return EAGAIN; /* 429, 5xx, and anything else from a proxy */
    }
}

/* Replaces `items` by the items that are good, one by one, so that a bad one costs itself only. */
static int take_items(struct hf_view items, json_t *root, size_t *ret_unreadable)
{
    static const struct hf_json_limits limits = {.max_bytes = HF_WATCH_STREAM_MAX_LINE};
    json_t *good = json_array();
    struct hf_view text;
    size_t bad = 0;

    if (good == NULL || json_object_set_new(root, "items", good) < 0)
        return -ENOMEM;
    while (hf_envelope_next_item(&items, &text)) {
        json_t *item;
        int r = hf_json_parse(text, &limits, &item, NULL);
        if (r == -ENOMEM || (r == 0 && json_array_append_new(good, item) < 0))
            return -ENOMEM;
        bad += r < 0;
    }
    *ret_unreadable = bad;
    return 0;
}

static int parse(enum hf_kube_verb verb, struct hf_view body, json_t **ret_root, size_t *ret_unreadable,
                 struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *root = NULL;
    struct hf_view items;
    int r = verb == HF_KUBE_LIST ? hf_envelope_list(body, &root, &items, err) : hf_json_parse(body, NULL, &root, err);

    if (r == 0 && verb == HF_KUBE_LIST)
        r = take_items(items, root, ret_unreadable);
    if (r == -ENOMEM)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (r < 0)
        return hf_err_set(err, EPROTO, "the answer is not the JSON of an API server");
    if (!json_is_string(json_object_get(root, "kind")))
        return hf_err_set(err, EPROTO, "the answer is not an object of Kubernetes");
    *ret_root = hf_steal(root);
    return 0;
}

/* True if the answer to a write is the request itself, byte for byte. An API server formats an object its own way, and
 * adds to it; so nobody has stored this one (kube/rules/origin.h, POST). */
static bool is_echo(const struct hf_kube_pending *pending, struct hf_view body)
{
    return !is_read(pending->verb) && body.n > 0 && body.n == pending->body.n &&
           memcmp(body.p, pending->body.p, body.n) == 0;
}

static void accepted(struct hf_kube_pending *pending, const struct hf_http_response *response, struct hf_view body)
{
    _cleanup_(hf_json_freep) json_t *root = NULL;
    struct hf_kube_answer answer = {.status = response->status, .date_unix_ns = response->date_unix_ns, .reason = ""};

    if (is_echo(pending, body)) {
        answer.r = -EHOSTUNREACH;
        (void)hf_err_set(&answer.err, ENOLINK, "the answer is a copy of the request: a local proxy dropped the write");
        hf_kube_count_doubt(pending->kube, "unseen-write");
        finish(pending, &answer);
        return;
    }
    answer.r = parse(pending->verb, body, &root, &answer.unreadable, &answer.err);
    answer.object = root;
    finish(pending, &answer);
}

static int start(struct hf_kube_pending *pending, struct hf_err *err);

/* After a 401: true if the request is on its way again. */
static bool sent_again(struct hf_kube_pending *pending)
{
    if (pending->reauthed || hf_kube_now_ns(pending->kube) >= pending->deadline_ns)
        return false;
    pending->reauthed = true;
    hf_kube_reauth(pending->kube);
    return start(pending, NULL) == 0;
}

static void refused(struct hf_kube_pending *pending, const struct hf_http_response *response, struct hf_view body)
{
    static const struct hf_json_limits limits = {.max_bytes = HF_EXCHANGE_MAX_ERROR};
    _cleanup_(hf_json_freep) json_t *root = NULL;
    char text[180];
    struct hf_kube_answer answer = {.status = response->status,
                                    .retry_after_ns = HF_MIN(response->retry_after_ns, HF_RF_RETRY_AFTER_MAX_NS),
                                    .date_unix_ns = response->date_unix_ns};

    if (response->status == 401 && sent_again(pending))
        return;
    if (hf_json_parse(body, &limits, &root, NULL) < 0) /* a proxy's page */
        root = NULL;
    answer.reason = hf_json_str_or(root, "reason", "");
    answer.refusal = root;
    answer.r = hf_err_set(&answer.err, code_of_status(response->status, answer.reason), "the server answered %d: %s",
                          response->status, hf_kube_status_message(body, text, sizeof(text)));
    finish(pending, &answer);
}

static void call_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                       const struct hf_err *why)
{
    struct hf_kube_pending *pending = arg;
    struct hf_kube_answer answer = {.r = r, .reason = ""};

    pending->exchange = NULL;
    hf_kube_count_request(pending->kube, verbs[pending->verb].label, r, response);
    if (!is_read(pending->verb) && (r < 0 || response->status >= 500))
        pending->kube->rules->write_failed(pending->kube);
    if (r == 0 && response->status >= 200 && response->status < 300) {
        accepted(pending, response, body);
    } else if (r == 0) {
        refused(pending, response, body);
    } else {
        if (r == -ENOLINK) { /* a proxy on this node took the call and kept it to itself */
            hf_kube_second_hand(pending->kube);
            answer.r = -EHOSTUNREACH;
        }
        if (why != NULL)
            answer.err = *why;
        finish(pending, &answer);
    }
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

static int start(struct hf_kube_pending *pending, struct hf_err *err)
{
    const struct hf_exchange_owner owner = {
        .ended = call_ended,
        .arg = pending,
        .origin = pending->kube->rules->speaks_for_itself ? &pending->kube->hub.origin : NULL,
    };
    const char *kind = pending->verb == HF_KUBE_LIST ? "PartialObjectMetadataList" : "PartialObjectMetadata";
    char accept[100] = "Accept: application/json";
    struct hf_http_request request = {
        .method = verbs[pending->verb].method,
        .url = pending->url,
        .headers = {accept, pending->body.n > 0 ? verbs[pending->verb].content_type : NULL},
        .body = hf_buf_view(&pending->body),
        .timeout_ns = pending->deadline_ns - hf_kube_now_ns(pending->kube),
        .max_body_bytes = pending->verb == HF_KUBE_LIST ? HF_KUBE_CALL_MAX_PAGE : HF_KUBE_CALL_MAX_OBJECT,
    };

    if (pending->metadata_only && is_read(pending->verb))
        (void)snprintf(accept, sizeof(accept), "Accept: application/json;as=%s;g=meta.k8s.io;v=v1", kind);
    return hf_exchange_start(pending->kube->p.http, &request, &owner, &pending->exchange, err);
}

static int fill(struct hf_kube_pending *pending, const struct hf_kube_call *call, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(MAX_URL);
    int r = make_url(pending->kube, call, &url);

    if (r == 0 && call->body != NULL)
        r = hf_json_format(call->body, &pending->body);
    if (r < 0)
        return hf_err_sys(err, r, "%s of '%s'", verbs[call->verb].label,
                          call->plural != NULL ? call->plural : call->api_version);
    pending->url = hf_buf_take(&url);
    return pending->url != NULL ? 0 : hf_err_set(err, ENOMEM, "out of memory");
}

int hf_kube_call_send(struct hf_kube *kube, const struct hf_kube_call *call, hf_kube_call_done *done, void *arg,
                      struct hf_kube_pending **ret_pending, struct hf_err *err)
{
    uint64_t timeout_ns = call->timeout_ns > 0 ? call->timeout_ns : HF_KUBE_CALL_TIMEOUT_NS;
    int r = check(call, err);

    if (r < 0)
        return r;
    if (hf_list_count(&kube->calls) >= HF_KUBE_CALL_MAX_IN_FLIGHT)
        return hf_err_set(err, EAGAIN, "%d calls are in flight already", (int)HF_KUBE_CALL_MAX_IN_FLIGHT);
    struct hf_kube_pending *pending = calloc(1, sizeof(*pending));
    if (pending == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    *pending = (struct hf_kube_pending){
        .kube = kube, .done = done, .arg = arg, .verb = call->verb, .metadata_only = call->metadata_only};
    pending->body = (struct hf_buf)HF_BUF_INIT(HF_KUBE_CALL_MAX_BODY);
    pending->deadline_ns = hf_kube_now_ns(kube) + timeout_ns;
    hf_list_append(&kube->calls, &pending->link);
    r = fill(pending, call, err);
    if (r == 0 && !kube->rules->may_write(kube)) {
        pending->unstarted = -EHOSTUNREACH;
        hf_kube_arm_turn(kube);
    } else if (r == 0) {
        r = start(pending, err);
    }
    if (r < 0) {
        pending_free(pending);
        return r;
    }
    *ret_pending = pending;
    return 0;
}

void hf_kube_call_cancel(struct hf_kube_pending *pending)
{
    if (pending == NULL)
        return;
    hf_exchange_close(pending->exchange);
    pending_free(pending);
}

void hf_kube_call_cancel_all(struct hf_kube *kube)
{
    while (!hf_list_empty(&kube->calls))
        hf_kube_call_cancel(hf_container_of(kube->calls.next, struct hf_kube_pending, link));
}

static struct hf_kube_pending *next_unstarted(struct hf_kube *kube)
{
    struct hf_list *it, *next;

    hf_list_each(it, next, &kube->calls) {
        struct hf_kube_pending *pending = hf_container_of(it, struct hf_kube_pending, link);
        if (pending->unstarted < 0)
            return pending;
    }
    return NULL;
}

void hf_kube_call_turn(struct hf_kube *kube)
{
    size_t n = hf_list_count(&kube->calls); /* a call that its owner repeats at once waits for the turn after */
    struct hf_kube_pending *pending;
    struct hf_kube_answer answer = {.reason = ""};

    (void)hf_err_set(&answer.err, EHOSTUNREACH,
                     "the cloud is out of reach, and the MetaServer would not accept the request");
    for (; n > 0 && (pending = next_unstarted(kube)) != NULL; n--) {
        answer.r = pending->unstarted;
        finish(pending, &answer);
    }
}
