/* SPDX-License-Identifier: Apache-2.0 */
/* A serving is one request from its head to its last byte. What it sends comes from a file of the node, from a rebuild
 * of a layer (made.c), or from a call to the registry; hf_serving_deliver() passes on each. Manifests are small, so
 * they are compared before their first byte; one that passes is the moment to look for deltas of its layers.
 *
 * Back-pressure: a client that does not read pauses the call, or the reading of the file. */
#include "mirror/mirror.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/encoding/base64.h"
#include "codec/json.h"
#include "mirror/made.h"
#include "mirror/prefetch.h"

enum { MAX_TEXT = 1024, MAX_SETTINGS = 16 << 10 };
#define CONNECT_NS (5 * HF_NS_PER_S)
#define MANIFEST_NS (60 * HF_NS_PER_S)
#define PATIENCE_NS (800 * HF_NS_PER_MS) /* for a registry, where a tag's last digest can stand in */

/* ---- from the node ----------------------------------------------------------------------------------------------- */

static void pump_file(struct hf_serving *serving)
{
    char bytes[HF_SERVING_PIECE];
    int r = 0;

    while (r == 0 && serving->at < serving->end) {
        ssize_t n =
            pread(serving->file, bytes, (size_t)HF_MIN(sizeof(bytes), serving->end - serving->at), (off_t)serving->at);
        r = n > 0 ? hf_serving_deliver(serving, bytes, (size_t)n) : -EIO;
        serving->at += n > 0 ? (uint64_t)n : 0;
    }
    if (r < 0)
        hf_serving_give_up(serving);
    else if (serving->at == serving->end)
        hf_serving_finish(serving);
}

static void serve_file(struct hf_serving *serving, uint64_t size)
{
    const struct hf_mirror_request *request = &serving->request;
    uint64_t from = request->ranged ? request->from : 0;

    if (request->ranged && from >= size) {
        hf_serving_refuse(serving, 416, "RANGE_INVALID", "beyond the end of the blob");
        return;
    }
    serving->at = from;
    serving->end = request->ranged && request->to < size - 1 ? request->to + 1 : size;
    hf_serving_begin_bytes(serving, serving->at == 0 && serving->end == size, "node");
    if (!hf_serving_send_blob_head(serving, request->ranged, from, serving->end - from, size))
        hf_serving_give_up(serving);
    else if (request->head) {
        hf_streamed_end(serving->exchange);
        hf_serving_free(serving);
    } else {
        hf_mirror_cache_touch(serving->mirror->cache, request->sha256);
        if (!serving->checks && serving->end == size)
            hf_mirror_cache_check(serving->mirror->cache, request->sha256);
        pump_file(serving);
    }
}

/* A call that goes on may learn a newer digest of the tag. */
static void close_answered(struct hf_serving *serving)
{
    hf_streamed_end(hf_steal(serving->exchange));
    if (serving->call == NULL)
        hf_serving_free(serving);
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
static bool serve_manifest(struct hf_serving *serving, const char *sha256)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_SERVING_MANIFEST);
    char extra[128];

    if (!hf_mirror_store_read(serving->mirror->stores, sha256, &text))
        return false;
    const char *type = type_of(hf_buf_view(&text));
    if (type == NULL)
        return false;
    if (!serving->request.head && !hf_serving_has_room(serving, text.n)) {
        hf_serving_refuse_for_room(serving);
        return true;
    }
    (void)snprintf(extra, sizeof(extra), "Docker-Content-Digest: sha256:%s\r\n", sha256);
    bool ok = hf_serving_send_head(serving, 200, type, text.n, extra);
    if (ok && !serving->request.head) {
        ok = hf_streamed_send(serving->exchange, text.p, text.n) >= 0;
        hf_serving_comes_from(serving, "node");
        hf_metric_add(serving->asked, text.n);
        hf_metric_add(serving->image, text.n);
    }
    hf_mirror_cache_touch(serving->mirror->cache, sha256);
    if (ok)
        close_answered(serving);
    else
        hf_serving_give_up(serving);
    return true;
}

static bool serve_last(struct hf_serving *serving)
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

static void remember(struct hf_serving *serving, const char *sha256)
{
    struct hf_mirror *mirror = serving->mirror;

    if (serving->request.kind == HF_MIRROR_MANIFEST && serving->request.sha256[0] == '\0' && sha256[0] != '\0')
        hf_mirror_tags_file_put(mirror->tags, &serving->request, sha256, now_unix_s(mirror));
}

/* ---- from the registry ------------------------------------------------------------------------------------------- */

/* What a registry says of its own troubles; a client would try to prove itself to us after a 401. */
static void answer_refusal(struct hf_serving *serving, int status)
{
    switch (status) {
    case 404:
        hf_serving_refuse(serving, 404, serving->request.kind == HF_MIRROR_BLOB ? "BLOB_UNKNOWN" : "MANIFEST_UNKNOWN",
                          "the registry does not have it");
        return;
    case 401:
    case 403:
        hf_serving_refuse(serving, 403, "DENIED", "the registry refuses; agent.yaml has the node's credentials");
        return;
    case 416:
        hf_serving_refuse(serving, 416, "RANGE_INVALID", "beyond the end of the blob");
        return;
    case 429:
        hf_serving_refuse(serving, 429, "TOOMANYREQUESTS", "the registry wants fewer requests");
        return;
    default:
        hf_serving_refuse(serving, 502, "UNKNOWN", "the registry failed");
    }
}

/* -EACCES: the registry's service for tokens refuses, or the credential's file cannot be used. */
static void answer_failure(struct hf_serving *serving, int r)
{
    if (r == -EACCES)
        answer_refusal(serving, 403);
    else if (r == -ENOBUFS)
        hf_serving_refuse_for_room(serving);
    else
        hf_serving_refuse(serving, r == -ETIMEDOUT ? 504 : 502, "UNKNOWN", "the registry cannot be reached");
}

static int manifest_response(void *arg, const struct hf_http_response *response)
{
    struct hf_serving *serving = arg;

    serving->response = *response;
    return 0;
}

static int manifest_body(void *arg, const void *bytes, size_t n)
{
    struct hf_serving *serving = arg;

    if (serving->response.status != 200)
        return 0;
    return hf_serving_has_room(serving, n) ? hf_buf_add(&serving->kept, bytes, n) : -ENOBUFS;
}

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

/* A manifest is in the cache before its layers, so that with the registry away the image can be had from there. */
static void keep_manifest(struct hf_serving *serving, const char *sha256)
{
    struct hf_mirror *mirror = serving->mirror;
    const struct hf_buf *text = &serving->kept;
    struct hf_mirror_keep *keep;

    if (mirror->cache == NULL || serving->request.head || serving->request.kind != HF_MIRROR_MANIFEST || text->n == 0 ||
        hf_mirror_store_has(mirror->stores, sha256, text->n))
        return;
    int r = hf_mirror_keep_begin(mirror->cache, sha256, text->n, &keep);
    if (r == 0) {
        r = hf_mirror_keep_write(keep, text->p, text->n);
        hf_mirror_keep_finish(keep, r == 0);
    }
    mirror->cache_failure = r == -EBUSY ? mirror->cache_failure : r;
}

static void send_manifest(struct hf_serving *serving)
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
        hf_serving_refuse(serving, 502, "MANIFEST_INVALID", "the registry sent other content");
        return;
    }
    remember(serving, hex);
    keep_manifest(serving, hex);
    if (serving->exchange == NULL) {
        hf_serving_free(serving);
        return;
    }
    if (!referrers && hex[0] != '\0')
        (void)snprintf(extra, sizeof(extra), "Docker-Content-Digest: sha256:%s\r\n", hex);
    uint64_t n = head ? (uint64_t)HF_MAX(response->content_length, (int64_t)0) : text->n;
    bool ok = hf_serving_send_head(serving, 200,
                                   response->content_type[0] != '\0' && is_plain(response->content_type)
                                       ? response->content_type
                                       : "application/octet-stream",
                                   n, extra);
    if (ok && !head && text->n > 0)
        ok = hf_streamed_send(serving->exchange, text->p, text->n) >= 0;
    hf_serving_comes_from(serving, "registry");
    hf_metric_add(serving->asked, head ? 0 : n);
    hf_metric_add(serving->image, head ? 0 : n);
    if (!ok) {
        hf_serving_give_up(serving);
        return;
    }
    hf_streamed_end(serving->exchange);
    hf_serving_free(serving);
}

static void looked(void *arg)
{
    struct hf_serving *serving = arg;

    serving->look = NULL;
    send_manifest(serving);
}

/* The manifest waits, because who has it asks for its layers at once. False: there is nothing to wait for. */
static bool look_for_deltas(struct hf_serving *serving)
{
    struct hf_mirror *mirror = serving->mirror;
    const struct hf_mirror_request *request = &serving->request;
    char hex[HF_SHA256_HEX];

    if (request->kind != HF_MIRROR_MANIFEST || request->head || request->sha256[0] == '\0' || serving->kept.n == 0 ||
        strcmp(hf_sha256_hex(serving->kept.p, serving->kept.n, hex), request->sha256) != 0)
        return false;
    return hf_mirror_look_start(&(const struct hf_mirror_look_params){.upstream = mirror->upstream,
                                                                      .deltas = &mirror->deltas,
                                                                      .stores = mirror->stores,
                                                                      .tally = &serving->tally,
                                                                      .origin = serving->origin,
                                                                      .name = request->name,
                                                                      .sha256 = request->sha256,
                                                                      .manifest = hf_buf_view(&serving->kept),
                                                                      .done = looked,
                                                                      .arg = serving},
                                &serving->look) == 0;
}

static void manifest_done(void *arg, int r, const struct hf_err *err)
{
    struct hf_serving *serving = arg;
    char text[300];

    serving->call = NULL;
    if (r == 0 && serving->response.status == 200) {
        if (!look_for_deltas(serving))
            send_manifest(serving);
        return;
    }
    if (serving->exchange == NULL) {
        hf_serving_free(serving);
        return;
    }
    bool away =
        (r < 0 && r != -EACCES && r != -ENOBUFS) || serving->response.status >= 500 || serving->response.status == 429;
    if (away && serve_last(serving))
        return;
    if (r == 0) {
        answer_refusal(serving, serving->response.status);
        return;
    }
    hf_log(serving->mirror->p.log, HF_LOG_WARNING, "image.failed", HF_S("registry", serving->request.registry),
           HF_S("name", serving->request.name), HF_S("error", hf_err_text(err, text, sizeof(text))));
    answer_failure(serving, r);
}

/* What the cache has of a blob, then `call` goes on. */
static int replay(struct hf_serving *serving)
{
    const uint64_t had = hf_mirror_keep_had(serving->keep);
    char bytes[HF_SERVING_PIECE];
    int r = 0;

    while (r == 0 && serving->at < had) {
        ssize_t n = hf_mirror_keep_read(serving->keep, bytes, sizeof(bytes), serving->at);
        r = n > 0 ? hf_serving_deliver(serving, bytes, (size_t)n) : -EIO;
        serving->at += n > 0 ? (uint64_t)n : 0;
    }
    if (r < 0)
        return r;
    serving->replays = serving->at < had;
    hf_mirror_call_pause(serving->call, r > 0);
    return 0;
}

/* The registry sends what is missing of a blob that broke off. */
static int go_on(struct hf_serving *serving, const struct hf_http_response *response)
{
    const uint64_t had = hf_mirror_keep_had(serving->keep), size = hf_mirror_keep_size(serving->keep);

    if (response->range_start != had || response->range_total != size ||
        response->content_length != (int64_t)(size - had)) {
        hf_mirror_keep_finish(hf_steal(serving->keep), false);
        return -EPROTO;
    }
    serving->at = 0;
    serving->replays = true;
    hf_serving_begin_bytes(serving, true, "registry");
    return hf_serving_send_blob_head(serving, false, 0, size, size) ? replay(serving) : -ENOMEM;
}

/* A registry may send less than was asked for, but never more: the client counts on it. */
static bool is_part_asked_for(const struct hf_mirror_request *request, const struct hf_http_response *response)
{
    const uint64_t from = response->range_start, total = response->range_total, n = (uint64_t)response->content_length;

    return request->ranged && from == request->from && from < total && n > 0 && n <= total - from &&
           n - 1 <= request->to - from;
}

/* A registry that sends no length could send for ever. */
static int blob_response(void *arg, const struct hf_http_response *response)
{
    struct hf_serving *serving = arg;
    const struct hf_mirror_request *request = &serving->request;
    bool partial = response->status == 206;

    if (serving->begun)
        return partial && response->range_start == serving->at && response->range_total == serving->end &&
                       response->content_length == (int64_t)(serving->end - serving->at)
                   ? 0
                   : -EPROTO;
    serving->response = *response;
    if (serving->keep != NULL && partial)
        return go_on(serving, response);
    if (serving->keep != NULL && (response->status == 200 || response->status == 416))
        hf_mirror_keep_finish(hf_steal(serving->keep), false); /* it was not to go on */
    if (response->status != 200 && !partial)
        return 0;
    if (response->content_length < 0 || (partial && !is_part_asked_for(request, response)))
        return -EPROTO;
    uint64_t n = (uint64_t)response->content_length;
    hf_serving_begin_bytes(serving, !partial || n == response->range_total, "registry");
    serving->checks = serving->checks && !request->head;
    if (serving->checks && !hf_serving_keep(serving, n))
        return -ENOSPC;
    return hf_serving_send_blob_head(serving, partial, response->range_start, n, response->range_total) ? 0 : -ENOMEM;
}

static int blob_body(void *arg, const void *bytes, size_t n)
{
    struct hf_serving *serving = arg;

    if (!serving->begun)
        return 0;
    assert(!serving->replays);
    int r = hf_serving_deliver(serving, bytes, n);
    if (r > 0)
        hf_mirror_call_pause(serving->call, true);
    return HF_MIN(r, 0);
}

static void blob_done(void *arg, int r, const struct hf_err *err)
{
    struct hf_serving *serving = arg;
    char text[300];

    serving->call = NULL;
    if (r < 0)
        hf_log(serving->mirror->p.log, HF_LOG_WARNING, "image.failed", HF_S("registry", serving->request.registry),
               HF_S("name", serving->request.name), HF_S("error", hf_err_text(err, text, sizeof(text))));
    if (serving->begun && r == 0)
        hf_serving_finish(serving);
    else if (serving->begun)
        hf_serving_give_up(serving);
    else if (r == 0)
        answer_refusal(serving, serving->response.status);
    else
        answer_failure(serving, r);
}

static void ask_registry(struct hf_serving *serving)
{
    const struct hf_mirror_request *request = &serving->request;
    bool blob = request->kind == HF_MIRROR_BLOB, rest = serving->begun;
    const uint64_t had = rest ? serving->at : serving->keep != NULL ? hf_mirror_keep_had(serving->keep) : 0;
    char path[2 * HF_MIRROR_REFERENCE + 64];
    const struct hf_mirror_ask ask = {.origin = serving->origin,
                                      .name = request->name,
                                      .path = path,
                                      .head = request->head,
                                      .accept = request->accept,
                                      .ranged = blob && (request->ranged || rest || had > 0),
                                      .from = rest || had > 0 ? had : request->from,
                                      .to = rest || had > 0 ? UINT64_MAX : request->to,
                                      .connect_ns = CONNECT_NS,
                                      .timeout_ns = blob ? 0 : MANIFEST_NS,
                                      .max_bytes = blob ? UINT64_MAX : HF_SERVING_MANIFEST,
                                      .resumes = blob && !request->head,
                                      .tally = &serving->tally,
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
    serving->kept.max = HF_SERVING_MANIFEST;
    if (hf_mirror_call_start(serving->mirror->upstream, &ask, &serving->call) < 0) {
        serving->call = NULL;
        if (rest)
            hf_serving_give_up(serving);
        else
            hf_serving_refuse(serving, 502, "UNKNOWN", "not enough memory");
    } else if (serving->full) {
        hf_mirror_call_pause(serving->call, true);
    }
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

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
static void look_for_last(struct hf_serving *serving)
{
    struct hf_mirror *mirror = serving->mirror;
    const struct hf_sched_ops *sched = hf_loop_sched(mirror->p.loop);
    const struct hf_mirror_request *request = &serving->request;
    const struct hf_mirror_tag *tag = request->kind == HF_MIRROR_MANIFEST && request->sha256[0] == '\0'
                                          ? hf_mirror_tags_find(hf_mirror_tags_file_get(mirror->tags), request,
                                                                now_unix_s(mirror), mirror->stale_ok_ns / HF_NS_PER_S)
                                          : NULL;

    if (tag == NULL || !hf_mirror_store_has(mirror->stores, tag->sha256, UINT64_MAX))
        return;
    memcpy(serving->last_sha256, tag->sha256, sizeof(serving->last_sha256));
    serving->patience = hf_timer_new(sched, on_impatience, serving);
    if (serving->patience != NULL)
        hf_timer_arm(sched, serving->patience, PATIENCE_NS);
}

static void measure(struct hf_serving *serving)
{
    struct hf_mirror *mirror = serving->mirror;
    const struct hf_mirror_request *request = &serving->request;
    char image[HF_MIRROR_REGISTRY + HF_MIRROR_NAME];

    (void)snprintf(image, sizeof(image), "%s/%s", request->registry, request->name);
    serving->tally = (struct hf_mirror_tally){.all = mirror->fetched,
                                              .image = hf_metric_with(mirror->image_fetched, HF_LABELS(image)),
                                              .prefetched = request->patient ? &mirror->prefetched : NULL};
    serving->image = request->patient ? NULL : hf_metric_with(mirror->image_asked, HF_LABELS(image));
}

/* The layers of an image whose manifest is here come next, and what deltas there are was forgotten by a restart. */
static bool look_again(struct hf_serving *serving)
{
    struct hf_buf *text = &serving->kept;

    text->max = HF_SERVING_MANIFEST;
    if (serving->request.kind == HF_MIRROR_MANIFEST && serving->request.sha256[0] != '\0' &&
        hf_mirror_store_read(serving->mirror->stores, serving->request.sha256, text) && look_for_deltas(serving))
        return true;
    hf_buf_clear(text);
    return false;
}

static void begin(struct hf_serving *serving, int status)
{
    struct hf_mirror *mirror = serving->mirror;
    const struct hf_mirror_request *request = &serving->request;
    uint64_t size = 0;

    if (status == 0 && request->kind == HF_MIRROR_PING) {
        hf_serving_answer(serving, 200, "", "{}");
        return;
    }
    if (status != 400 && request->authorization[0] == '\0') {
        hf_serving_refuse(serving, 401, "UNAUTHORIZED", "the secret of this mirror is missing");
        return;
    }
    if (status != 400 && !has_secret(mirror, request->authorization)) {
        hf_serving_refuse(serving, 403, "DENIED", "not the secret of this mirror");
        return;
    }
    if (status != 0) {
        hf_serving_refuse(serving, status, "UNSUPPORTED", "no request to a mirror");
        return;
    }
    if (!hf_mirror_find_registry(mirror, request->registry, serving->origin)) {
        hf_serving_refuse(serving, 404, "NAME_UNKNOWN", "spec.images.mirror.registries does not have this registry");
        return;
    }
    measure(serving);
    if (request->patient && look_again(serving))
        return;
    if (request->kind == HF_MIRROR_MANIFEST && request->sha256[0] != '\0' && serve_manifest(serving, request->sha256))
        return;
    look_for_last(serving);
    if (request->kind == HF_MIRROR_BLOB)
        serving->file = hf_mirror_store_open(mirror->stores, request->sha256, &size);
    if (serving->file >= 0)
        serve_file(serving, size);
    else if (!hf_made_begin(serving)) {
        if (mirror->cache != NULL && request->kind == HF_MIRROR_BLOB && !request->head && !request->ranged &&
            hf_mirror_keep_resume(mirror->cache, request->sha256, &serving->keep) < 0)
            serving->keep = NULL;
        ask_registry(serving);
    }
}

static void asked(void *arg, struct hf_streamed_exchange *exchange, struct hf_view head)
{
    struct hf_mirror *mirror = arg;
    struct hf_serving *serving = calloc(1, sizeof(*serving));

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
    struct hf_serving *serving = owner;

    serving->full = false;
    if (serving->replays) {
        if (replay(serving) < 0)
            hf_serving_give_up(serving);
    } else if (serving->rebuild != NULL)
        hf_made_pump(serving);
    else if (serving->call != NULL)
        hf_mirror_call_pause(serving->call, false);
    else if (serving->file >= 0)
        pump_file(serving);
}

static void gone(void *owner)
{
    hf_serving_free(owner);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct hf_mirror *hf_mirror_new(const struct hf_mirror_params *params)
{
    struct hf_mirror *mirror = calloc(1, sizeof(*mirror));

    if (mirror == NULL)
        return NULL;
    mirror->p = *params;
    mirror->ask_registry = ask_registry;
    hf_list_init(&mirror->servings);
    mirror->upstream = hf_mirror_upstream_new(&params->upstream);
    if (mirror->upstream == NULL) {
        free(mirror);
        return NULL;
    }
    mirror->sent = hf_metric_family(params->metrics, HF_METRIC_COUNTER, "holdfast_mirror_sent_bytes_total",
                                    "Bytes of images given to containerd, by where they came from.", HF_LABELS("from"));
    mirror->image_asked =
        hf_metric_family(params->metrics, HF_METRIC_COUNTER, "holdfast_image_asked_bytes_total",
                         "Bytes that containerd got from the mirror of images, by repository.", HF_LABELS("image"));
    mirror->image_fetched = hf_metric_family(params->metrics, HF_METRIC_COUNTER, "holdfast_image_fetched_bytes_total",
                                             "Bytes fetched from registries, by repository.", HF_LABELS("image"));
    mirror->fetched = hf_metric_counter(params->metrics, "holdfast_mirror_fetched_bytes_total",
                                        "Bytes of images fetched from registries.");
    return mirror;
}

static void turn_off(struct hf_mirror *mirror)
{
    hf_prefetch_free(hf_steal(mirror->prefetch));
    hf_streamed_free(hf_steal(mirror->server));
    while (!hf_list_empty(&mirror->servings))
        hf_serving_free(hf_container_of(mirror->servings.next, struct hf_serving, link));
    hf_mirror_tags_file_free(hf_steal(mirror->tags));
    hf_mirror_deltas_done(&mirror->deltas);
    hf_mirror_cache_free(hf_steal(mirror->cache));
    hf_buf_wipe_text(&mirror->folder);
    for (size_t i = 0; mirror->registries[i] != NULL; i++)
        hf_buf_wipe_text(&mirror->registries[i]);
    for (size_t i = 0; mirror->stores[i] != NULL; i++)
        hf_buf_wipe_text(&mirror->stores[i]);
    hf_buf_wipe_text(&mirror->authorization);
}

static bool is_wanted(void *arg, const char *sha256)
{
    const struct hf_mirror *mirror = arg;

    return hf_prefetch_wants(mirror->prefetch, sha256);
}

/* The cache is one more store. */
static int open_cache(struct hf_mirror *mirror, const struct hf_mirror_settings *settings, struct hf_err *err)
{
    size_t n = 0;

    if (settings->max_bytes == 0)
        return 0;
    while (n < HF_MIRROR_STORES && mirror->stores[n] != NULL)
        n++;
    assert(n < HF_MIRROR_STORES);
    mirror->stores[n] = hf_asprintf("%s/cache", settings->folder);
    if (mirror->stores[n] == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for the mirror");
    mirror->cache = hf_mirror_cache_new(&(const struct hf_mirror_cache_params){.sched = hf_loop_sched(mirror->p.loop),
                                                                               .fs = mirror->p.upstream.fs,
                                                                               .log = mirror->p.log,
                                                                               .folder = mirror->stores[n],
                                                                               .max_bytes = settings->max_bytes,
                                                                               .is_wanted = is_wanted,
                                                                               .arg = mirror},
                                        err);
    return mirror->cache != NULL ? 0 : -err->code;
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
    char tags[PATH_MAX + 8];
    bool ok = keep_list(settings->registries, mirror->registries, HF_MIRROR_MAX_REGISTRIES) &&
              keep_list(settings->stores, mirror->stores, HF_MIRROR_STORES) &&
              hf_buf_addf(&pair, "holdfast:%s", settings->secret) == 0 && hf_buf_add_str(&line, "Basic ") == 0 &&
              hf_base64_encode(pair.p, pair.n, &line) == 0;

    mirror->stale_ok_ns = settings->stale_ok_ns;
    (void)snprintf(tags, sizeof(tags), "%s/tags", settings->folder);
    mirror->folder = strdup(settings->folder);
    mirror->tags = hf_mirror_tags_file_new(&(const struct hf_mirror_tags_file_params){
        hf_loop_sched(mirror->p.loop), mirror->p.upstream.fs, mirror->p.log, tags});
    ok = ok && mirror->folder != NULL && mirror->tags != NULL;
    mirror->authorization = ok ? hf_buf_take(&line) : NULL;
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
    int r = open_cache(mirror, settings, err);
    if (r == 0)
        r = hf_streamed_new(mirror->p.loop, &params, &mirror->server, err);
    return r < 0 ? r : hf_mirror_prefetch(mirror, settings->images, SIZE_MAX, settings->platform, err);
}

int hf_mirror_prefetch(struct hf_mirror *mirror, const char *const *images, size_t named, const char *platform,
                       struct hf_err *err)
{
    hf_prefetch_free(hf_steal(mirror->prefetch));
    if (mirror->server == NULL || images == NULL || images[0] == NULL)
        return 0;
    mirror->prefetch = hf_prefetch_new(mirror, images, named, platform, mirror->cache != NULL);
    if (mirror->prefetch == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for the mirror");
    hf_prefetch_gate(mirror->prefetch, mirror->closed);
    return 0;
}

struct hf_mirror_ready hf_mirror_ready(const struct hf_mirror *mirror)
{
    return mirror->prefetch != NULL ? hf_prefetch_ready(mirror->prefetch) : (struct hf_mirror_ready){.asked = false};
}

void hf_mirror_gate(struct hf_mirror *mirror, const char *closed)
{
    mirror->closed = closed;
    if (mirror->prefetch != NULL)
        hf_prefetch_gate(mirror->prefetch, closed);
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
