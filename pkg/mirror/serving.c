/* SPDX-License-Identifier: Apache-2.0 */
/* Of a whole blob, hf_serving_deliver() keeps the newest piece back until the next one is there, and
 * hf_serving_finish() lets the last one go only when the digest is right: a client that counts bytes never takes wrong
 * content for a whole blob. */
#include "mirror/serving.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "oci/registry/reference.h"
#include "os/fd.h"

enum { MAX_TEXT = 1024 };

bool hf_mirror_find_registry(const struct hf_mirror *mirror, const char *name, char origin[HF_URL_ORIGIN])
{
    struct hf_url_parts parts;
    char url[HF_URL_ORIGIN];

    for (size_t i = 0; mirror->registries[i] != NULL; i++) {
        const char *item = mirror->registries[i];
        bool plain = strncmp(item, "http://", 7) == 0;
        if (strcasecmp(plain ? item + 7 : item, name) != 0)
            continue;
        const char *host = hf_oci_api_host(name);
        (void)snprintf(url, sizeof(url), "https://%s/", host);
        if (hf_url_split(url, &parts, NULL) < 0)
            return false;
        (void)snprintf(origin, HF_URL_ORIGIN, "%s://%s", plain || parts.loopback ? "http" : "https", host);
        return true;
    }
    return false;
}

void hf_serving_free(struct hf_serving *serving)
{
    hf_list_remove(&serving->link);
    hf_mirror_call_cancel(serving->call);
    hf_mirror_look_cancel(serving->look);
    hf_timer_free(hf_loop_sched(serving->mirror->p.loop), serving->patience);
    if (serving->on_free != NULL)
        serving->on_free(serving);
    hf_closep(&serving->file);
    hf_mirror_keep_free(serving->keep);
    hf_buf_done(&serving->kept);
    free(serving);
}

void hf_serving_give_up(struct hf_serving *serving)
{
    hf_streamed_abort(serving->exchange);
    hf_serving_free(serving);
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
                   {503, "Service Unavailable"},
                   {504, "Gateway Timeout"}};

    for (size_t i = 0; i < HF_LEN(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

bool hf_serving_send_head(struct hf_serving *serving, int status, const char *type, uint64_t length, const char *extra)
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

void hf_serving_answer(struct hf_serving *serving, int status, const char *extra, const char *text)
{
    bool ok = hf_serving_send_head(serving, status, "application/json", strlen(text), extra);

    if (ok && !serving->request.head)
        ok = hf_streamed_send(serving->exchange, text, strlen(text)) >= 0;
    if (!ok) {
        hf_serving_give_up(serving);
        return;
    }
    hf_streamed_end(serving->exchange);
    hf_serving_free(serving);
}

void hf_serving_refuse(struct hf_serving *serving, int status, const char *code, const char *message)
{
    char text[MAX_TEXT], retry[64] = "";

    (void)snprintf(text, sizeof(text), "{\"errors\":[{\"code\":\"%s\",\"message\":\"%s\"}]}\n", code, message);
    if (serving->response.retry_after_ns > 0)
        (void)snprintf(retry, sizeof(retry), "Retry-After: %" PRIu64 "\r\n",
                       (uint64_t)(serving->response.retry_after_ns / HF_NS_PER_S));
    hf_serving_answer(serving, status, status == 401 ? "WWW-Authenticate: Basic realm=\"holdfast\"\r\n" : retry, text);
}

bool hf_serving_has_room(const struct hf_serving *serving, size_t bytes)
{
    const struct hf_mirror *mirror = serving->mirror;
    size_t held = hf_streamed_holds(mirror->server);

    for (struct hf_list *link = mirror->servings.next; link != &mirror->servings; link = link->next)
        held += hf_container_of(link, struct hf_serving, link)->kept.cap;
    return held <= HF_SERVING_HELD && bytes <= HF_SERVING_HELD - held;
}

void hf_serving_refuse_for_room(struct hf_serving *serving)
{
    serving->response.retry_after_ns = HF_NS_PER_S;
    hf_serving_refuse(serving, 503, "TOOMANYREQUESTS", "too many manifests wait for clients that do not read them");
}

/* ---- bytes of a blob --------------------------------------------------------------------------------------------- */

bool hf_serving_keep(struct hf_serving *serving, uint64_t size)
{
    struct hf_mirror *mirror = serving->mirror;

    if (mirror->cache == NULL)
        return true;
    int r = hf_mirror_keep_begin(mirror->cache, serving->request.sha256, size, &serving->keep);
    if (r < 0)
        serving->keep = NULL;
    mirror->cache_failure = r == -EBUSY ? mirror->cache_failure : r;
    return r == 0 || !serving->request.patient;
}

/* False: nobody waits for more. */
static bool keep_bytes(struct hf_serving *serving, const void *bytes, size_t n)
{
    int r = hf_mirror_keep_write(serving->keep, bytes, n);

    if (r == 0)
        return true;
    serving->mirror->cache_failure = r;
    hf_mirror_keep_finish(hf_steal(serving->keep), false);
    return !serving->request.patient;
}

int hf_serving_deliver(struct hf_serving *serving, const void *bytes, size_t n)
{
    int r = 0;

    hf_metric_add(serving->asked, n);
    hf_metric_add(serving->image, n);
    if (serving->keep != NULL && !keep_bytes(serving, bytes, n))
        return -ENOSPC;
    if (!serving->checks)
        return hf_streamed_send(serving->exchange, bytes, n);
    hf_sha256_update(&serving->hash, bytes, n);
    if (serving->kept.n > 0)
        r = hf_streamed_send(serving->exchange, serving->kept.p, serving->kept.n);
    hf_buf_clear(&serving->kept);
    int kept = hf_buf_add(&serving->kept, bytes, n);
    return kept < 0 ? kept : r;
}

static bool is_right(struct hf_serving *serving)
{
    char hex[HF_SHA256_HEX];

    if (strcmp(hf_sha256_final_hex(&serving->hash, hex), serving->request.sha256) == 0)
        return true;
    hf_log(serving->mirror->p.log, HF_LOG_WARNING, "image.wrong", HF_S("registry", serving->request.registry),
           HF_S("name", serving->request.name), HF_S("sha256", serving->request.sha256));
    return false;
}

static void blame(const struct hf_serving *serving)
{
    hf_mirror_deltas_blame(&serving->mirror->deltas, serving->origin, serving->request.name, serving->request.sha256);
}

void hf_serving_finish(struct hf_serving *serving)
{
    bool right = !serving->checks || is_right(serving);

    if (!right && serving->rebuilt)
        blame(serving);
    if (!right)
        hf_mirror_cache_drop(serving->mirror->cache, serving->request.sha256);
    if (serving->keep != NULL)
        hf_mirror_keep_finish(hf_steal(serving->keep), right);
    if (!right || (serving->checks && serving->kept.n > 0 &&
                   hf_streamed_send(serving->exchange, serving->kept.p, serving->kept.n) < 0)) {
        hf_serving_give_up(serving);
        return;
    }
    hf_streamed_end(serving->exchange);
    hf_serving_free(serving);
}

void hf_serving_begin_bytes(struct hf_serving *serving, bool whole, const char *from)
{
    serving->checks = whole;
    hf_sha256_init(&serving->hash);
    serving->kept.max = HF_SERVING_MANIFEST;
    hf_serving_comes_from(serving, from);
}

void hf_serving_comes_from(struct hf_serving *serving, const char *from)
{
    serving->asked = serving->request.patient ? NULL : hf_metric_with(serving->mirror->sent, HF_LABELS(from));
}

bool hf_serving_send_blob_head(struct hf_serving *serving, bool partial, uint64_t from, uint64_t n, uint64_t total)
{
    char extra[256];
    int k = snprintf(extra, sizeof(extra), "Docker-Content-Digest: %s\r\nAccept-Ranges: bytes\r\n",
                     serving->request.reference);

    if (partial)
        (void)snprintf(extra + k, sizeof(extra) - (size_t)k,
                       "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", from, from + n - 1, total);
    return hf_serving_send_head(serving, partial ? 206 : 200, "application/octet-stream", n, extra);
}
