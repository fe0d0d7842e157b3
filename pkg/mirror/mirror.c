/* SPDX-License-Identifier: Apache-2.0 */
/* A serving is one request from its head to its last byte. What it sends comes from a file of the node, or from a call
 * to the registry; deliver() passes on either. Of a whole blob, deliver() keeps the newest piece back until the next
 * one is there, and finish() lets the last one go only when the digest is right: a client that counts bytes never takes
 * wrong content for a whole blob. Manifests are small, so they are compared before their first byte.
 *
 * Back-pressure: a client that does not read pauses the call, or the reading of the file. */
#include "mirror/mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encoding/base64.h"
#include "codec/json.h"
#include "loop/http/url.h"
#include "loop/server/streamed.h"
#include "mirror/request.h"
#include "mirror/tags_file.h"
#include "os/fd.h"

enum { MAX_MANIFEST = 4 << 20, PIECE = 32 << 10, MAX_TEXT = 1024, MAX_SETTINGS = 16 << 10 };
#define HUB                                                                                                            \
    "docker."                                                                                                          \
    "io" /* its API is at another host than its name says */
#define CONNECT_NS (5 * HF_NS_PER_S)
#define MANIFEST_NS (60 * HF_NS_PER_S)
#define PATIENCE_NS (800 * HF_NS_PER_MS) /* for a registry, where a tag's last digest can stand in */

struct serving {
    struct hf_list link;
    struct hf_mirror *mirror;
    struct hf_streamed_exchange *exchange; /* NULL: the client has gone */
    struct hf_mirror_request request;
    char origin[HF_URL_ORIGIN];
    struct hf_mirror_call *call; /* or NULL */
    int file;                    /* or -1 */
    uint64_t at, end;            /* of the file */
    bool begun;                  /* the head has left */
    bool checks;                 /* `hash` is of all bytes */
    struct hf_sha256 hash;
    struct hf_buf kept; /* the newest piece, or a manifest that arrives */
    struct hf_http_response response;
    struct hf_metric *asked;
    char last_sha256[HF_SHA256_HEX]; /* of the tag, if the node has that manifest; "": it has not */
    struct hf_timer *patience;       /* then last_sha256 is the answer; NULL: there is none */
};

struct hf_mirror {
    struct hf_mirror_params p;
    struct hf_mirror_upstream *upstream;
    struct hf_streamed *server; /* NULL: off */
    struct hf_list servings;
    struct hf_buf texts; /* of the settings */
    char *registries[HF_MIRROR_MAX_REGISTRIES + 1];
    char *stores[HF_MIRROR_STORES + 1];
    char *authorization; /* what a request has to show */
    uint64_t stale_ok_ns;
    struct hf_mirror_tags_file *tags; /* NULL: off */
    struct hf_metric_family *sent;
    struct hf_metric *fetched;
};

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void free_serving(struct serving *serving)
{
    const struct hf_sched_ops *sched = hf_loop_sched(serving->mirror->p.loop);

    hf_list_remove(&serving->link);
    hf_mirror_call_cancel(serving->call);
    if (serving->patience != NULL)
        sched->timer_free(sched->ctx, serving->patience);
    hf_closep(&serving->file);
    hf_buf_done(&serving->kept);
    free(serving);
}

static void give_up(struct serving *serving)
{
    hf_streamed_abort(serving->exchange);
    free_serving(serving);
}

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {{200, "OK"},
                   {206, "Partial Content"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {416, "Range Not Satisfiable"},
                   {429, "Too Many Requests"},
                   {502, "Bad Gateway"},
                   {504, "Gateway Timeout"}};

    for (size_t i = 0; i < HF_LEN(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

/* `extra`: lines that end with CR LF. False: the connection is gone, the caller gives up. */
static bool send_head(struct serving *serving, int status, const char *type, uint64_t length, const char *extra)
{
    struct hf_buf head = HF_BUF_INIT(HF_STREAMED_HEAD);
    int r = hf_buf_addf(&head,
                        "HTTP/1.1 %d %s\r\nDocker-Distribution-Api-Version: registry/2.0\r\nContent-Type: %s\r\n"
                        "Content-Length: %" PRIu64 "\r\n%sConnection: close\r\n\r\n",
                        status, reason_of(status), type, length, extra);

    if (r == 0)
        r = hf_streamed_send(serving->exchange, head.p, head.n);
    hf_buf_done(&head);
    serving->begun = true;
    return r >= 0;
}

static void answer_text(struct serving *serving, int status, const char *extra, const char *text)
{
    bool ok = send_head(serving, status, "application/json", strlen(text), extra);

    if (ok && !serving->request.head)
        ok = hf_streamed_send(serving->exchange, text, strlen(text)) >= 0;
    if (!ok) {
        give_up(serving);
        return;
    }
    hf_streamed_end(serving->exchange);
    free_serving(serving);
}

/* As the specification wants errors; `message` is ours, without quotes. */
static void answer_error(struct serving *serving, int status, const char *code, const char *message)
{
    char text[MAX_TEXT], retry[64] = "";

    (void)snprintf(text, sizeof(text), "{\"errors\":[{\"code\":\"%s\",\"message\":\"%s\"}]}\n", code, message);
    if (serving->response.retry_after_ns > 0)
        (void)snprintf(retry, sizeof(retry), "Retry-After: %" PRIu64 "\r\n",
                       (uint64_t)(serving->response.retry_after_ns / HF_NS_PER_S));
    answer_text(serving, status, status == 401 ? "WWW-Authenticate: Basic realm=\"holdfast\"\r\n" : retry, text);
}

/* ---- bytes of a blob --------------------------------------------------------------------------------------------- */

/* 1: the client has enough for now; < 0: out of memory. */
static int deliver(struct serving *serving, const void *bytes, size_t n)
{
    int r = 0;

    hf_metric_add(serving->asked, n);
    if (!serving->checks)
        return hf_streamed_send(serving->exchange, bytes, n);
    hf_sha256_update(&serving->hash, bytes, n);
    if (serving->kept.n > 0)
        r = hf_streamed_send(serving->exchange, serving->kept.p, serving->kept.n);
    hf_buf_clear(&serving->kept);
    int kept = hf_buf_add(&serving->kept, bytes, n);
    return kept < 0 ? kept : r;
}

static bool is_right(struct serving *serving)
{
    unsigned char digest[HF_SHA256_BYTES];
    char hex[HF_SHA256_HEX];

    hf_sha256_final(&serving->hash, digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    if (strcmp(hex, serving->request.sha256) == 0)
        return true;
    hf_log(serving->mirror->p.log, HF_LOG_WARNING, "image.wrong", HF_S("registry", serving->request.registry),
           HF_S("name", serving->request.name), HF_S("sha256", serving->request.sha256));
    return false;
}

static void finish(struct serving *serving)
{
    if (serving->checks &&
        (!is_right(serving) ||
         (serving->kept.n > 0 && hf_streamed_send(serving->exchange, serving->kept.p, serving->kept.n) < 0))) {
        give_up(serving);
        return;
    }
    hf_streamed_end(serving->exchange);
    free_serving(serving);
}

static void begin_bytes(struct serving *serving, bool whole, const char *from)
{
    serving->checks = whole;
    hf_sha256_init(&serving->hash);
    serving->kept.max = MAX_MANIFEST;
    serving->asked = hf_metric_with(serving->mirror->sent, HF_LABELS(from));
}

static bool send_blob_head(struct serving *serving, bool partial, uint64_t from, uint64_t n, uint64_t total)
{
    char extra[256];
    int k = snprintf(extra, sizeof(extra), "Docker-Content-Digest: %s\r\nAccept-Ranges: bytes\r\n",
                     serving->request.reference);

    if (partial)
        (void)snprintf(extra + k, sizeof(extra) - (size_t)k,
                       "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", from, from + n - 1, total);
    return send_head(serving, partial ? 206 : 200, "application/octet-stream", n, extra);
}

/* ---- from the node ----------------------------------------------------------------------------------------------- */

static void pump_file(struct serving *serving)
{
    char bytes[PIECE];
    int r = 0;

    while (r == 0 && serving->at < serving->end) {
        ssize_t n =
            pread(serving->file, bytes, (size_t)HF_MIN(sizeof(bytes), serving->end - serving->at), (off_t)serving->at);
        r = n > 0 ? deliver(serving, bytes, (size_t)n) : -EIO;
        serving->at += n > 0 ? (uint64_t)n : 0;
    }
    if (r < 0)
        give_up(serving);
    else if (serving->at == serving->end)
        finish(serving);
}

/* A regular file of that name, or -1. */
static int open_blob(const struct hf_mirror *mirror, const char *sha256, uint64_t *ret_size)
{
    char path[512];
    struct stat st;

    for (size_t i = 0; mirror->stores[i] != NULL; i++) {
        int n = snprintf(path, sizeof(path), "%s/blobs/sha256/%s", mirror->stores[i], sha256);
        int fd = n < (int)sizeof(path) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
            *ret_size = (uint64_t)st.st_size;
            return fd;
        }
        hf_closep(&fd);
    }
    return -1;
}

static void serve_file(struct serving *serving, uint64_t size)
{
    const struct hf_mirror_request *request = &serving->request;
    uint64_t from = request->ranged ? request->from : 0;

    if (request->ranged && from >= size) {
        answer_error(serving, 416, "RANGE_INVALID", "beyond the end of the blob");
        return;
    }
    serving->at = from;
    serving->end = request->ranged && request->to < size - 1 ? request->to + 1 : size;
    begin_bytes(serving, serving->at == 0 && serving->end == size, "node");
    if (!send_blob_head(serving, request->ranged, from, serving->end - from, size))
        give_up(serving);
    else if (request->head) {
        hf_streamed_end(serving->exchange);
        free_serving(serving);
    } else {
        pump_file(serving);
    }
}

/* A call that goes on may learn a newer digest of the tag. */
static void close_answered(struct serving *serving)
{
    hf_streamed_end(hf_steal(serving->exchange));
    if (serving->call == NULL)
        free_serving(serving);
}

static const char *type_of(struct hf_view text)
{
    static const char *const types[] = {"application/vnd.oci.image.index.v1+json",
                                        "application/vnd.docker.distribution.manifest.list.v2+json",
                                        "application/vnd.docker.distribution.manifest.v2+json"};
    _cleanup_(hf_json_freep) json_t *json = NULL;

    if (hf_json_parse(text, NULL, &json, NULL) < 0)
        return NULL;
    const char *type = hf_json_str_or(json, "mediaType", json_object_get(json, "manifests") != NULL ? types[0] : "");
    for (size_t i = 0; i < HF_LEN(types); i++)
        if (strcmp(type, types[i]) == 0)
            return types[i];
    return "application/vnd.oci.image.manifest.v1+json";
}

/* The manifest that the node has under this digest. False: none that is right, and nothing was sent. */
static bool serve_manifest(struct serving *serving, const char *sha256)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_MANIFEST);
    char hex[HF_SHA256_HEX], extra[128];
    uint64_t size = 0;
    _cleanup_(hf_closep) int fd = open_blob(serving->mirror, sha256, &size);

    if (fd < 0 || size == 0 || size > MAX_MANIFEST || hf_buf_reserve(&text, (size_t)size) < 0 ||
        pread(fd, text.p, (size_t)size, 0) != (ssize_t)size)
        return false;
    text.n = (size_t)size;
    const char *type = type_of(hf_buf_view(&text));
    if (type == NULL || strcmp(hf_sha256_hex(text.p, text.n, hex), sha256) != 0)
        return false;
    (void)snprintf(extra, sizeof(extra), "Docker-Content-Digest: sha256:%s\r\n", sha256);
    bool ok = send_head(serving, 200, type, text.n, extra);
    if (ok && !serving->request.head) {
        ok = hf_streamed_send(serving->exchange, text.p, text.n) >= 0;
        hf_metric_add(hf_metric_with(serving->mirror->sent, HF_LABELS("node")), text.n);
    }
    if (ok)
        close_answered(serving);
    else
        give_up(serving);
    return true;
}

static bool serve_last(struct serving *serving)
{
    if (serving->last_sha256[0] == '\0' || serving->exchange == NULL || !serve_manifest(serving, serving->last_sha256))
        return false;
    return true;
}

static void on_impatience(void *arg)
{
    (void)serve_last(arg);
}

static uint64_t now_unix_s(const struct hf_mirror *mirror)
{
    return hf_unix_ns(mirror->p.upstream.clock) / HF_NS_PER_S;
}

static void remember(struct serving *serving, const char *sha256)
{
    struct hf_mirror *mirror = serving->mirror;

    if (serving->request.kind == HF_MIRROR_MANIFEST && serving->request.sha256[0] == '\0' && sha256[0] != '\0')
        hf_mirror_tags_file_put(mirror->tags, &serving->request, sha256, now_unix_s(mirror));
}

/* ---- from the registry ------------------------------------------------------------------------------------------- */

/* What a registry says of its own troubles; a client would try to prove itself to us after a 401. */
static void answer_refusal(struct serving *serving, int status)
{
    switch (status) {
    case 404:
        answer_error(serving, 404, serving->request.kind == HF_MIRROR_BLOB ? "BLOB_UNKNOWN" : "MANIFEST_UNKNOWN",
                     "the registry does not have it");
        return;
    case 401:
    case 403:
        answer_error(serving, 403, "DENIED", "the registry refuses; agent.yaml artifacts has the node's credentials");
        return;
    case 416:
        answer_error(serving, 416, "RANGE_INVALID", "beyond the end of the blob");
        return;
    case 429:
        answer_error(serving, 429, "TOOMANYREQUESTS", "the registry wants fewer requests");
        return;
    default:
        answer_error(serving, 502, "UNKNOWN", "the registry failed");
    }
}

static int manifest_response(void *arg, const struct hf_http_response *response)
{
    struct serving *serving = arg;

    serving->response = *response;
    return 0;
}

static int manifest_body(void *arg, const void *bytes, size_t n)
{
    struct serving *serving = arg;

    hf_metric_add(serving->mirror->fetched, n);
    return serving->response.status == 200 ? hf_buf_add(&serving->kept, bytes, n) : 0;
}

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

static void send_manifest(struct serving *serving)
{
    const struct hf_http_response *response = &serving->response;
    struct hf_buf *text = &serving->kept;
    bool head = serving->request.head, referrers = serving->request.kind == HF_MIRROR_REFERRERS;
    char hex[HF_SHA256_HEX] = "", extra[256] = "";

    if (!head)
        (void)hf_sha256_hex(text->p != NULL ? text->p : "", text->n, hex);
    else if (!hf_mirror_digest(hf_view_of(response->content_digest), hex))
        hex[0] = '\0';
    if (!referrers && serving->request.sha256[0] != '\0' && hex[0] != '\0' &&
        strcmp(hex, serving->request.sha256) != 0) {
        hf_log(serving->mirror->p.log, HF_LOG_WARNING, "image.wrong", HF_S("registry", serving->request.registry),
               HF_S("name", serving->request.name), HF_S("sha256", serving->request.sha256));
        answer_error(serving, 502, "MANIFEST_INVALID", "the registry sent other content");
        return;
    }
    remember(serving, hex);
    if (serving->exchange == NULL) {
        free_serving(serving);
        return;
    }
    if (!referrers && hex[0] != '\0')
        (void)snprintf(extra, sizeof(extra), "Docker-Content-Digest: sha256:%s\r\n", hex);
    uint64_t n = head ? (uint64_t)HF_MAX(response->content_length, (int64_t)0) : text->n;
    bool ok =
        send_head(serving, 200,
                  response->content_type[0] != '\0' && is_plain(response->content_type) ? response->content_type
                                                                                        : "application/octet-stream",
                  n, extra);
    if (ok && !head && text->n > 0)
        ok = hf_streamed_send(serving->exchange, text->p, text->n) >= 0;
    hf_metric_add(hf_metric_with(serving->mirror->sent, HF_LABELS("registry")), head ? 0 : n);
    if (!ok) {
        give_up(serving);
        return;
    }
    hf_streamed_end(serving->exchange);
    free_serving(serving);
}

static void manifest_done(void *arg, int r, const struct hf_err *err)
{
    struct serving *serving = arg;
    char text[300];

    serving->call = NULL;
    if (r == 0 && serving->response.status == 200) {
        send_manifest(serving);
        return;
    }
    if (serving->exchange == NULL) {
        free_serving(serving);
        return;
    }
    bool away = r < 0 || serving->response.status >= 500 || serving->response.status == 429;
    if (away && serve_last(serving))
        return;
    if (r == 0) {
        answer_refusal(serving, serving->response.status);
        return;
    }
    hf_log(serving->mirror->p.log, HF_LOG_WARNING, "image.failed", HF_S("registry", serving->request.registry),
           HF_S("name", serving->request.name), HF_S("error", hf_err_text(err, text, sizeof(text))));
    answer_error(serving, r == -ETIMEDOUT ? 504 : 502, "UNKNOWN", "the registry cannot be reached");
}

/* A registry that sends no length could send for ever. */
static int blob_response(void *arg, const struct hf_http_response *response)
{
    struct serving *serving = arg;
    const struct hf_mirror_request *request = &serving->request;
    bool partial = response->status == 206;

    serving->response = *response;
    if (response->status != 200 && !partial)
        return 0;
    if (response->content_length < 0 ||
        (partial && (!request->ranged || response->range_start != request->from || response->range_total == 0)))
        return -EPROTO;
    uint64_t n = (uint64_t)response->content_length;
    begin_bytes(serving, !partial || n == response->range_total, "registry");
    serving->checks = serving->checks && !request->head;
    return send_blob_head(serving, partial, response->range_start, n, response->range_total) ? 0 : -ENOMEM;
}

static int blob_body(void *arg, const void *bytes, size_t n)
{
    struct serving *serving = arg;

    hf_metric_add(serving->mirror->fetched, n);
    if (!serving->begun)
        return 0;
    int r = deliver(serving, bytes, n);
    if (r > 0)
        hf_mirror_call_pause(serving->call, true);
    return HF_MIN(r, 0);
}

static void blob_done(void *arg, int r, const struct hf_err *err)
{
    struct serving *serving = arg;
    char text[300];

    serving->call = NULL;
    if (r < 0)
        hf_log(serving->mirror->p.log, HF_LOG_WARNING, "image.failed", HF_S("registry", serving->request.registry),
               HF_S("name", serving->request.name), HF_S("error", hf_err_text(err, text, sizeof(text))));
    if (serving->begun && r == 0)
        finish(serving);
    else if (serving->begun)
        give_up(serving);
    else if (r == 0)
        answer_refusal(serving, serving->response.status);
    else
        answer_error(serving, r == -ETIMEDOUT ? 504 : 502, "UNKNOWN", "the registry cannot be reached");
}

static void ask_registry(struct serving *serving)
{
    const struct hf_mirror_request *request = &serving->request;
    bool blob = request->kind == HF_MIRROR_BLOB;
    char path[2 * HF_MIRROR_REFERENCE + 64];
    const struct hf_mirror_ask ask = {.origin = serving->origin,
                                      .name = request->name,
                                      .path = path,
                                      .head = request->head,
                                      .accept = request->accept,
                                      .ranged = blob && request->ranged,
                                      .from = request->from,
                                      .to = request->to,
                                      .connect_ns = CONNECT_NS,
                                      .timeout_ns = blob ? 0 : MANIFEST_NS,
                                      .max_bytes = blob ? UINT64_MAX : MAX_MANIFEST,
                                      .resumes = blob && !request->head,
                                      .on_response = blob ? blob_response : manifest_response,
                                      .on_body = blob ? blob_body : manifest_body,
                                      .done = blob ? blob_done : manifest_done,
                                      .arg = serving};

    bool filtered = request->kind == HF_MIRROR_REFERRERS && request->artifact_type[0] != '\0';
    (void)snprintf(path, sizeof(path), "%s/%s%s%s",
                   blob                                  ? "blobs"
                   : request->kind == HF_MIRROR_MANIFEST ? "manifests"
                                                         : "referrers",
                   request->reference, filtered ? "?artifactType=" : "", filtered ? request->artifact_type : "");
    serving->kept.max = MAX_MANIFEST;
    if (hf_mirror_call_start(serving->mirror->upstream, &ask, &serving->call) < 0) {
        serving->call = NULL;
        answer_error(serving, 502, "UNKNOWN", "not enough memory");
    }
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

/* False: not on the list. */
static bool find_registry(const struct hf_mirror *mirror, const char *name, char origin[HF_URL_ORIGIN])
{
    struct hf_url_parts parts;
    char url[HF_URL_ORIGIN];

    for (size_t i = 0; mirror->registries[i] != NULL; i++) {
        const char *item = mirror->registries[i];
        bool plain = strncmp(item, "http://", 7) == 0;
        if (strcasecmp(plain ? item + 7 : item, name) != 0)
            continue;
        const char *host = strcasecmp(name, HUB) == 0 ? "registry-1." HUB : name;
        (void)snprintf(url, sizeof(url), "https://%s/", host);
        if (hf_url_split(url, &parts, NULL) < 0)
            return false;
        (void)snprintf(origin, HF_URL_ORIGIN, "%s://%s", plain || parts.loopback ? "http" : "https", host);
        return true;
    }
    return false;
}

/* Compares in the same time, whatever differs. */
static bool has_secret(const struct hf_mirror *mirror, const char *authorization)
{
    size_t n = strlen(mirror->authorization);
    unsigned char differs = strlen(authorization) != n;

    for (size_t i = 0; i < n && !differs; i++)
        differs = (unsigned char)(differs | (mirror->authorization[i] ^ authorization[i]));
    return !differs;
}

/* The last digest of a tag can stand in if the node has that manifest. */
static void look_for_last(struct serving *serving)
{
    struct hf_mirror *mirror = serving->mirror;
    const struct hf_sched_ops *sched = hf_loop_sched(mirror->p.loop);
    const struct hf_mirror_request *request = &serving->request;
    const struct hf_mirror_tag *tag = request->kind == HF_MIRROR_MANIFEST && request->sha256[0] == '\0'
                                          ? hf_mirror_tags_find(hf_mirror_tags_file_get(mirror->tags), request,
                                                                now_unix_s(mirror), mirror->stale_ok_ns / HF_NS_PER_S)
                                          : NULL;
    uint64_t size;
    _cleanup_(hf_closep) int fd = tag != NULL ? open_blob(mirror, tag->sha256, &size) : -1;

    if (fd < 0)
        return;
    memcpy(serving->last_sha256, tag->sha256, sizeof(serving->last_sha256));
    serving->patience = sched->timer_new(sched->ctx, on_impatience, serving);
    if (serving->patience != NULL)
        sched->timer_arm(sched->ctx, serving->patience, PATIENCE_NS);
}

static void begin(struct serving *serving, int status)
{
    struct hf_mirror *mirror = serving->mirror;
    const struct hf_mirror_request *request = &serving->request;
    uint64_t size = 0;

    if (status == 0 && request->kind == HF_MIRROR_PING) {
        answer_text(serving, 200, "", "{}");
        return;
    }
    if (status != 400 && request->authorization[0] == '\0') {
        answer_error(serving, 401, "UNAUTHORIZED", "the secret of this mirror is missing");
        return;
    }
    if (status != 400 && !has_secret(mirror, request->authorization)) {
        answer_error(serving, 403, "DENIED", "not the secret of this mirror");
        return;
    }
    if (status != 0) {
        answer_error(serving, status, "UNSUPPORTED", "no request to a mirror");
        return;
    }
    if (!find_registry(mirror, request->registry, serving->origin)) {
        answer_error(serving, 404, "NAME_UNKNOWN", "spec.images.mirror.registries does not have this registry");
        return;
    }
    if (request->kind == HF_MIRROR_MANIFEST && request->sha256[0] != '\0' && serve_manifest(serving, request->sha256))
        return;
    look_for_last(serving);
    if (request->kind == HF_MIRROR_BLOB)
        serving->file = open_blob(mirror, request->sha256, &size);
    if (serving->file >= 0)
        serve_file(serving, size);
    else
        ask_registry(serving);
}

static void asked(void *arg, struct hf_streamed_exchange *exchange, struct hf_view head)
{
    struct hf_mirror *mirror = arg;
    struct serving *serving = calloc(1, sizeof(*serving));

    if (serving == NULL) {
        hf_streamed_abort(exchange);
        return;
    }
    serving->mirror = mirror;
    serving->exchange = exchange;
    serving->file = -1;
    hf_list_append(&mirror->servings, &serving->link);
    hf_streamed_attend(exchange, serving);
    begin(serving, hf_mirror_request_parse(head, &serving->request));
}

static void drained(void *owner)
{
    struct serving *serving = owner;

    if (serving->call != NULL)
        hf_mirror_call_pause(serving->call, false);
    else if (serving->file >= 0)
        pump_file(serving);
}

static void gone(void *owner)
{
    free_serving(owner);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct hf_mirror *hf_mirror_new(const struct hf_mirror_params *params)
{
    struct hf_mirror *mirror = calloc(1, sizeof(*mirror));

    if (mirror == NULL)
        return NULL;
    mirror->p = *params;
    hf_list_init(&mirror->servings);
    mirror->upstream = hf_mirror_upstream_new(&params->upstream);
    if (mirror->upstream == NULL) {
        free(mirror);
        return NULL;
    }
    mirror->sent = hf_metric_family(params->metrics, HF_METRIC_COUNTER, "holdfast_mirror_sent_bytes_total",
                                    "Bytes of images given to containerd, by where they came from.", HF_LABELS("from"));
    mirror->fetched = hf_metric_counter(params->metrics, "holdfast_mirror_fetched_bytes_total",
                                        "Bytes of images fetched from registries.");
    return mirror;
}

static void turn_off(struct hf_mirror *mirror)
{
    hf_streamed_free(hf_steal(mirror->server));
    while (!hf_list_empty(&mirror->servings))
        free_serving(hf_container_of(mirror->servings.next, struct serving, link));
    hf_mirror_tags_file_free(hf_steal(mirror->tags));
    for (size_t i = 0; mirror->registries[i] != NULL; i++)
        hf_buf_wipe_text(&mirror->registries[i]);
    for (size_t i = 0; mirror->stores[i] != NULL; i++)
        hf_buf_wipe_text(&mirror->stores[i]);
    hf_buf_wipe_text(&mirror->authorization);
}

static bool keep_list(const char *const *from, char **to, size_t max)
{
    for (size_t i = 0; i < max && from[i] != NULL; i++)
        if ((to[i] = strdup(from[i])) == NULL)
            return false;
    return true;
}

static bool keep(struct hf_mirror *mirror, const struct hf_mirror_settings *settings)
{
    struct hf_buf pair = HF_BUF_INIT(MAX_TEXT), line = HF_BUF_INIT(2 * MAX_TEXT);
    bool ok = keep_list(settings->registries, mirror->registries, HF_MIRROR_MAX_REGISTRIES) &&
              keep_list(settings->stores, mirror->stores, HF_MIRROR_STORES) &&
              hf_buf_addf(&pair, "holdfast:%s", settings->secret) == 0 && hf_buf_add_str(&line, "Basic ") == 0 &&
              hf_base64_encode(pair.p, pair.n, &line) == 0;

    mirror->stale_ok_ns = settings->stale_ok_ns;
    mirror->tags = hf_mirror_tags_file_new(&(const struct hf_mirror_tags_file_params){
        hf_loop_sched(mirror->p.loop), mirror->p.upstream.fs, mirror->p.log, settings->tags_path});
    mirror->authorization = ok && mirror->tags != NULL ? hf_buf_take(&line) : NULL;
    hf_buf_wipe(&pair);
    hf_buf_wipe(&line);
    return mirror->authorization != NULL;
}

int hf_mirror_settle(struct hf_mirror *mirror, const struct hf_mirror_settings *settings, struct hf_err *err)
{
    const struct hf_streamed_params params = {.address = "127.0.0.1",
                                              .port = settings != NULL ? settings->port : 0,
                                              .asked = asked,
                                              .drained = drained,
                                              .gone = gone,
                                              .arg = mirror};

    turn_off(mirror);
    if (settings == NULL)
        return 0;
    if (!keep(mirror, settings))
        return hf_err_set(err, ENOMEM, "not enough memory for the mirror");
    return hf_streamed_new(mirror->p.loop, &params, &mirror->server, err);
}

uint16_t hf_mirror_port(const struct hf_mirror *mirror)
{
    return mirror->server != NULL ? hf_streamed_port(mirror->server) : 0;
}

void hf_mirror_free(struct hf_mirror *mirror)
{
    if (mirror == NULL)
        return;
    turn_off(mirror);
    hf_mirror_upstream_free(mirror->upstream);
    free(mirror);
}
