/* SPDX-License-Identifier: Apache-2.0 */
/* A call is one request, and a second one when the registry answers 401 with a challenge that can be met: the line
 * Authorization that it took is kept for later calls, until the registry refuses it again. */
#include "oci/registry/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/base64.h"
#include "codec/sha256.h"
#include "loop/http/client.h"
#include "loop/http/url.h"
#include "loop/loop.h"
#include "oci/registry/token.h"

enum { MAX_ERROR = 64 << 10, MAX_LINE = 64 << 10, PIECE = 8 << 20 /* of an upload */ };

#define SILENCE_NS (60 * HF_NS_PER_S)
#define ACCEPT_MANIFESTS                                                                                               \
    "Accept: " HF_OCI_TYPE_INDEX ", " HF_OCI_TYPE_MANIFEST ", " HF_OCI_TYPE_DOCKER_LIST ","                            \
    " " HF_OCI_TYPE_DOCKER_MANIFEST

struct hf_oci_registry {
    struct hf_loop *loop;
    struct hf_http_client *http;
    struct hf_url_parts at;
    char *login;        /* or NULL */
    struct hf_buf line; /* "Authorization: ..."; empty: none */
};

struct call {
    struct hf_oci_registry *registry;
    const char *method, *url; /* absolute */
    const char *headers[3];
    struct hf_view body;
    const struct hf_oci_blob_sink *sink; /* NULL: the answer goes to `answer` */
    uint64_t max_bytes;
    bool for_token; /* with `credential` (NULL: none) instead of the registry's */
    const char *credential;
    /* What came. */
    int r, status;
    struct hf_err err;
    char content_type[HF_HTTP_HEADER_VALUE];
    char challenge[HF_HTTP_CHALLENGE];
    char *location; /* absolute, or NULL */
    struct hf_buf answer;
};

struct hf_oci_registry *hf_oci_registry_new(const struct hf_oci_registry_config *config, struct hf_err *err)
{
    struct hf_oci_registry *registry = calloc(1, sizeof(*registry));

    if (registry == NULL) {
        (void)hf_err_set(err, ENOMEM, "out of memory");
        return NULL;
    }
    registry->line.max = MAX_LINE;
    int r = hf_url_split(config->origin, &registry->at, err);
    if (r == 0 && !registry->at.https && !registry->at.loopback)
        r = hf_err_set(err, EINVAL, "without TLS only a registry on this machine is asked, not '%s'", config->origin);
    if (r == 0 && config->login != NULL && (registry->login = strdup(config->login)) == NULL)
        r = hf_err_set(err, ENOMEM, "out of memory");
    if (r == 0)
        registry->loop = hf_loop_new(err);
    if (registry->loop != NULL)
        registry->http = hf_http_client_new(registry->loop,
                                            &(struct hf_http_config){.user_agent = config->user_agent,
                                                                     .ca_pem = config->ca_pem,
                                                                     .origin = registry->at.origin},
                                            err);
    if (registry->http != NULL)
        return registry;
    hf_oci_registry_free(registry);
    return NULL;
}

void hf_oci_registry_free(struct hf_oci_registry *registry)
{
    if (registry == NULL)
        return;
    hf_http_client_free(registry->http);
    hf_loop_free(registry->loop);
    hf_buf_wipe_text(&registry->login);
    hf_buf_wipe(&registry->line);
    free(registry);
}

/* ---- one request ------------------------------------------------------------------------------------------------- */

static void call_done(struct call *call)
{
    hf_buf_wipe(&call->answer); /* a token may be in it */
    free(hf_steal(call->location));
}

static bool is_success(int status)
{
    return status >= 200 && status < 300;
}

static int on_response(void *arg, const struct hf_http_response *response)
{
    struct call *call = arg;
    int r = 0;

    call->status = response->status;
    memcpy(call->content_type, response->content_type, sizeof(call->content_type));
    memcpy(call->challenge, response->challenge, sizeof(call->challenge));
    if (response->location != NULL)
        r = hf_url_join(call->url, response->location, &call->location, &call->err);
    return r;
}

static int on_body(void *arg, const void *bytes, size_t n)
{
    struct call *call = arg;

    if (is_success(call->status) && call->sink != NULL)
        return call->sink->write(call->sink->ctx, bytes, n);
    return hf_buf_add(&call->answer, bytes, n);
}

static void on_done(void *arg, int r, const struct hf_http_response *response, HF_UNUSED struct hf_view body,
                    const struct hf_err *err)
{
    struct call *call = arg;

    call->r = r;
    if (r < 0 && call->err.code == 0)
        call->err = *err;
    if (r == 0)
        call->status = response->status;
    hf_loop_stop(call->registry->loop);
}

static int run(struct call *call, struct hf_err *err)
{
    struct hf_oci_registry *registry = call->registry;
    const struct hf_http_ops *http = hf_http_client_ops(registry->http);
    const bool larger = call->sink == NULL && call->max_bytes > MAX_ERROR;
    struct hf_http_request request = {.method = call->method,
                                      .url = call->url,
                                      .body = call->body,
                                      .idle_timeout_ns = SILENCE_NS,
                                      .max_body_bytes = call->max_bytes > 0 ? call->max_bytes : MAX_ERROR,
                                      .follow_redirects =
                                          strcmp(call->method, "GET") == 0 || strcmp(call->method, "HEAD") == 0,
                                      .on_response = on_response,
                                      .on_body = on_body,
                                      .done = on_done,
                                      .arg = call};
    struct hf_http_call *running;
    struct hf_url_parts to;

    call_done(call);
    call->answer = (struct hf_buf)HF_BUF_INIT(larger ? (size_t)call->max_bytes : MAX_ERROR);
    call->err = (struct hf_err)HF_ERR_INIT;
    for (size_t i = 0, n = 0; i < HF_LEN(call->headers); i++)
        if (call->headers[i] != NULL)
            request.headers[n++] = call->headers[i];
    int r = hf_url_split(call->url, &to, err);
    if (r < 0)
        return hf_err_wrap(err, -EPROTO, "the registry leads to no URL");
    if (!to.https && (registry->at.https || !to.loopback))
        return hf_err_set(err, EPROTO, "the registry leads to '%s', without TLS", to.origin);
    if (call->for_token)
        request.credential = call->credential;
    else if (registry->line.n > 0 && strcmp(to.origin, registry->at.origin) == 0)
        request.credential = hf_buf_str(&registry->line);
    r = http->start(http->ctx, &request, &running, err);
    if (r < 0)
        return r;
    hf_loop_run(registry->loop);
    if (call->r < 0 && err != NULL)
        *err = call->err;
    return call->r;
}

/* ---- credentials ------------------------------------------------------------------------------------------------- */

static int basic_line(const struct hf_oci_registry *registry, struct hf_buf *line)
{
    int r = hf_buf_add_str(line, "Authorization: Basic ");

    return r == 0 ? hf_base64_encode(registry->login, strlen(registry->login), line) : r;
}

static int fetch_token(struct hf_oci_registry *registry, const struct hf_oci_challenge *challenge, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(HF_URL_MAX);
    _cleanup_(hf_buf_wipe) struct hf_buf basic = HF_BUF_INIT(MAX_LINE);
    _cleanup_(call_done) struct call call = {.registry = registry, .method = "GET", .for_token = true};
    char *token = NULL;
    uint64_t seconds;
    bool takes_basic = false;
    int r = hf_oci_token_where(registry->at.origin, challenge->realm, &takes_basic, err);

    if (r < 0)
        return r;
    r = hf_oci_challenge_url(challenge, &url);
    if (r == 0 && takes_basic && registry->login != NULL && (r = basic_line(registry, &basic)) == 0)
        call.credential = hf_buf_str(&basic);
    if (r < 0)
        return hf_err_set(err, -r, "the address for tokens is too long");
    call.url = hf_buf_str(&url);
    r = run(&call, err);
    if (r == 0 && !is_success(call.status))
        r = hf_err_set(err, EACCES, "the service for tokens answers %d%s", call.status,
                       registry->login == NULL ? "; the file of logins has none for this registry" : "");
    if (r == 0)
        r = hf_oci_token_parse(hf_buf_view(&call.answer), &token, &seconds, err);
    if (r < 0)
        return hf_err_wrap(err, r, "token from '%.100s'", challenge->realm);
    r = hf_buf_addf(&registry->line, "Authorization: Bearer %s", token);
    hf_buf_wipe_text(&token);
    return r < 0 ? hf_err_set(err, -r, "the token is too long") : 0;
}

/* Gets what the registry wants to see. -EACCES: it cannot be had. */
static int meet(struct hf_oci_registry *registry, const char *text, struct hf_err *err)
{
    struct hf_oci_challenge challenge;

    hf_buf_wipe(&registry->line);
    if (hf_oci_challenge_parse(text, &challenge) < 0)
        return hf_err_set(err, EACCES, "the registry wants a proof that is neither Basic nor Bearer");
    if (challenge.bearer)
        return fetch_token(registry, &challenge, err);
    if (registry->login == NULL)
        return hf_err_set(err, EACCES, "the registry wants a user and a password, and the file of logins has none");
    return basic_line(registry, &registry->line) < 0 ? hf_err_set(err, ENOMEM, "out of memory") : 0;
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static int judge(const struct call *call, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;
    int status = call->status;
    int code = status == 401 || status == 403       ? EACCES
               : status == 404                      ? ENOENT
               : status == 429 || status / 100 == 5 ? EAGAIN
                                                    : EPROTO;

    if (hf_json_parse(hf_buf_view(&call->answer), NULL, &json, NULL) < 0)
        return hf_err_set(err, code, "the registry answers %d", status);
    const json_t *first = json_array_get(json_object_get(json, "errors"), 0);
    return hf_err_set(err, code, "the registry answers %d: %.40s %.120s", status, hf_json_str_or(first, "code", ""),
                      hf_json_str_or(first, "message", ""));
}

static int ask(struct call *call, struct hf_err *err)
{
    int r = run(call, err);

    if (r == 0 && call->status == 401 && call->challenge[0] != '\0') {
        r = meet(call->registry, call->challenge, err);
        if (r == 0)
            r = run(call, err);
    }
    if (r == 0 && !is_success(call->status))
        r = judge(call, err);
    return r;
}

/* Asks PATH of the repository. */
static int ask_at(struct call *call, const char *repository, const char *path, struct hf_err *err)
{
    _cleanup_(hf_freep) char *url = hf_asprintf("%s/v2/%s/%s", call->registry->at.origin, repository, path);

    if (url == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    call->url = url;
    int r = ask(call, err);
    call->url = NULL;
    return r < 0 ? hf_err_wrap(err, r, "%s '%s/%s' at '%s'", call->method, repository, path, call->registry->at.origin)
                 : 0;
}

int hf_oci_registry_manifest(struct hf_oci_registry *registry, const char *repository, const char *name,
                             struct hf_buf *out, struct hf_oci_descriptor *ret, struct hf_err *err)
{
    _cleanup_(hf_freep) char *path = hf_asprintf("manifests/%s", name);
    _cleanup_(call_done) struct call call = {
        .registry = registry, .method = "GET", .headers = {ACCEPT_MANIFESTS}, .max_bytes = HF_OCI_JSON_MAX};
    int r = path != NULL ? ask_at(&call, repository, path, err) : hf_err_set(err, ENOMEM, "out of memory");

    if (r < 0)
        return r;
    (void)hf_oci_digest_of(call.answer.p, call.answer.n, ret->digest);
    if (hf_oci_is_digest(name) && strcmp(name, ret->digest) != 0)
        return hf_err_set(err, EBADMSG, "the registry's manifest '%s' has another digest", name);
    ret->size = call.answer.n;
    call.content_type[strcspn(call.content_type, "; ")] = '\0';
    size_t n = strlen(call.content_type);
    ret->media_type[0] = '\0';
    if (n < sizeof(ret->media_type))
        memcpy(ret->media_type, call.content_type, n + 1);
    return hf_buf_add(out, call.answer.p, call.answer.n) < 0 ? hf_err_set(err, ENOMEM, "out of memory") : 0;
}

int hf_oci_registry_referrers(struct hf_oci_registry *registry, const char *repository, const char *digest,
                              struct hf_buf *out, bool *ret_api, struct hf_err *err)
{
    _cleanup_(hf_freep) char *path = hf_asprintf("referrers/%s", digest), *tag = hf_asprintf("sha256-%s", digest + 7);
    _cleanup_(call_done) struct call call = {
        .registry = registry, .method = "GET", .headers = {ACCEPT_MANIFESTS}, .max_bytes = HF_OCI_JSON_MAX};
    struct hf_oci_descriptor ignored;

    if (path == NULL || tag == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = ask_at(&call, repository, path, err);
    *ret_api = r == 0;
    if (r == -ENOENT)
        return hf_oci_registry_manifest(registry, repository, tag, out, &ignored, err);
    if (r == 0)
        r = hf_buf_add(out, call.answer.p, call.answer.n);
    return r;
}

/* One page: those behind `last`. */
static int list_tags(struct hf_oci_registry *registry, const char *repository, const char *last, json_t *tags,
                     struct hf_err *err)
{
    static const struct hf_json_limits limits = {HF_OCI_JSON_MAX, 4, 2 * HF_OCI_TAGS};
    _cleanup_(hf_freep) char *path = hf_asprintf("tags/list?n=1000%s%s", last[0] != '\0' ? "&last=" : "", last);
    _cleanup_(call_done) struct call call = {.registry = registry, .method = "GET", .max_bytes = HF_OCI_JSON_MAX};
    _cleanup_(hf_json_freep) json_t *json = NULL;
    int r = path != NULL ? ask_at(&call, repository, path, err) : hf_err_set(err, ENOMEM, "out of memory");

    if (r == 0)
        r = hf_json_parse(hf_buf_view(&call.answer), &limits, &json, err);
    if (r < 0)
        return r;
    const json_t *page = json_object_get(json, "tags");
    for (size_t i = 0; i < json_array_size(page); i++) {
        const char *tag = json_string_value(json_array_get(page, i));
        if (tag != NULL && hf_oci_is_tag(tag) && json_array_append(tags, json_array_get(page, i)) < 0)
            return hf_err_set(err, ENOMEM, "out of memory");
    }
    return 0;
}

/* Registries give as many at once as they like, in order: until nothing is behind the last one. */
int hf_oci_registry_tags(struct hf_oci_registry *registry, const char *repository, json_t *tags, struct hf_err *err)
{
    char last[HF_OCI_TAG] = "";

    for (;;) {
        size_t before = json_array_size(tags);
        int r = list_tags(registry, repository, last, tags, err);
        size_t n = json_array_size(tags);
        if (r == 0 && n > HF_OCI_TAGS)
            r = hf_err_set(err, E2BIG, "'%s' has more than %d tags", repository, HF_OCI_TAGS);
        if (r < 0 || n == before)
            return r;
        const char *tag = json_string_value(json_array_get(tags, n - 1));
        if (strcmp(tag, last) == 0) /* it knows no pages */
            return 0;
        (void)snprintf(last, sizeof(last), "%s", tag);
    }
}

struct checked {
    const struct hf_oci_blob_sink *sink;
    struct hf_sha256 hash;
    uint64_t size, most;
};

static int take_checked(void *ctx, const void *bytes, size_t n)
{
    struct checked *checked = ctx;

    checked->size += n;
    if (checked->size > checked->most)
        return -EBADMSG;
    hf_sha256_update(&checked->hash, bytes, n);
    return checked->sink->write(checked->sink->ctx, bytes, n);
}

int hf_oci_registry_blob(struct hf_oci_registry *registry, const char *repository, const struct hf_oci_descriptor *blob,
                         const struct hf_oci_blob_sink *sink, struct hf_err *err)
{
    _cleanup_(hf_freep) char *path = hf_asprintf("blobs/%s", blob->digest);
    struct checked checked = {.sink = sink, .most = blob->size};
    const struct hf_oci_blob_sink through = {&checked, take_checked};
    _cleanup_(call_done) struct call call = {
        .registry = registry, .method = "GET", .sink = &through, .max_bytes = HF_MAX(blob->size, (uint64_t)MAX_ERROR)};
    char hex[HF_SHA256_HEX];

    hf_sha256_init(&checked.hash);
    int r = path != NULL ? ask_at(&call, repository, path, err) : hf_err_set(err, ENOMEM, "out of memory");
    if (r < 0)
        return r;
    if (checked.size != blob->size || strcmp(hf_sha256_final_hex(&checked.hash, hex), blob->digest + 7) != 0)
        return hf_err_set(err, EBADMSG, "the registry's blob '%s' has another digest or size", blob->digest);
    return 0;
}

/* ---- pushing ----------------------------------------------------------------------------------------------------- */

static int upload(struct hf_oci_registry *registry, char **location, const char *digest, struct hf_view bytes,
                  void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx, struct hf_err *err)
{
    uint64_t at = 0;
    int r = 0;

    while (r == 0) {
        size_t n = (size_t)HF_MIN((uint64_t)PIECE, bytes.n - at);
        bool last = at + n == bytes.n;
        _cleanup_(hf_freep) char *range =
            hf_asprintf("Content-Range: %llu-%llu", (unsigned long long)at, (unsigned long long)(at + n - 1));
        _cleanup_(hf_freep) char *url =
            last ? hf_asprintf("%s%cdigest=%s", *location, strchr(*location, '?') != NULL ? '&' : '?', digest)
                 : strdup(*location);
        _cleanup_(call_done) struct call call = {
            .registry = registry,
            .method = last ? "PUT" : "PATCH",
            .url = url,
            .headers = {"Content-Type: application/octet-stream", n < bytes.n ? range : NULL},
            .body = {bytes.p + at, n}};
        if (url == NULL || range == NULL)
            return hf_err_set(err, ENOMEM, "out of memory");
        r = ask(&call, err);
        at += n;
        if (progress != NULL)
            progress(ctx, at, bytes.n);
        if (r < 0 || last)
            return r;
        if (call.location == NULL)
            return hf_err_set(err, EPROTO, "the registry does not say where the upload goes on");
        free(*location);
        *location = hf_steal(call.location);
    }
    return r;
}

int hf_oci_registry_put_blob(struct hf_oci_registry *registry, const char *repository, const char *digest,
                             struct hf_view bytes, void (*progress)(void *ctx, uint64_t done, uint64_t total),
                             void *ctx, struct hf_err *err)
{
    _cleanup_(hf_freep) char *path = hf_asprintf("blobs/%s", digest);
    _cleanup_(call_done) struct call there = {.registry = registry, .method = "HEAD"};
    _cleanup_(call_done) struct call begin = {.registry = registry, .method = "POST"};
    int r = path != NULL ? ask_at(&there, repository, path, err) : -ENOMEM;

    if (r != -ENOENT)
        return r;
    r = ask_at(&begin, repository, "blobs/uploads/", err);
    if (r < 0)
        return r;
    if (begin.location == NULL)
        return hf_err_set(err, EPROTO, "'%s' does not say where to upload to '%s'", registry->at.origin, repository);
    r = upload(registry, &begin.location, digest, bytes, progress, ctx, err);
    return r < 0 ? hf_err_wrap(err, r, "upload '%s' to '%s'", digest, repository) : 0;
}

int hf_oci_registry_put_manifest(struct hf_oci_registry *registry, const char *repository, const char *name,
                                 const char *media_type, struct hf_view text, struct hf_err *err)
{
    _cleanup_(hf_freep) char *path = hf_asprintf("manifests/%s", name),
                             *type = hf_asprintf("Content-Type: %s", media_type);
    _cleanup_(call_done) struct call call = {.registry = registry, .method = "PUT", .headers = {type}, .body = text};

    return path != NULL && type != NULL ? ask_at(&call, repository, path, err)
                                        : hf_err_set(err, ENOMEM, "out of memory");
}
