/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that the mirror makes from layers of the node: what a delta saves, and what a wrong one, a base that is gone or
 * a registry that fails costs. The deltas are real; the registry does as a table says. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encoding/hex.h"
#include "loop/http/client.h"
#include "loop/server/streamed.h"
#include "mirror/mirror.h"
#include "oci/image_delta.h"
#include "os/clock_posix.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "pack/deep/deep.h"
#include "support/check_main.h"
#include "support/loop_for.h"
#include "support/raw_http.h"
#include "support/walk.h"

enum {
    SIZE = 400000,
    LARGE = 9 << 20,
    EARLY = (4 << 20) - (33 << 10),
    LAYERS = 2,
    CHANGES = 20,
    CHANGE = 600,
    FULL_AT = SIZE / 4 * 3
};
#define LAYER "application/vnd.oci.image.layer.v1.tar"
#define SECRET "Authorization: Basic aG9sZGZhc3Q6czNjcmV0\r\n" /* holdfast:s3cret */

struct blob {
    char *p;
    size_t n;
    char digest[HF_OCI_DIGEST];
};

static struct hf_loop *loop;
static struct hf_http_client *client;
static struct hf_streamed *registry;
static struct hf_mirror *mirror;
static struct hf_metrics *metrics;
static struct hf_fs_ops fs;
static struct hf_sched_ops sched;
static struct hf_http_ops http;
static char folder[] = "/tmp/hf-made-XXXXXX", host[32], alias[32]; /* two registries that have the same */
static uint64_t max_bytes, prefetched;                             /* of the cache; bytes that no pod waited for */
static char image[200], before[200]; /* to prefetch, and one that comes before it in the list */
static struct blob usual[LAYERS];    /* deltas */
static struct blob bases[LAYERS], layers[LAYERS], deltas[LAYERS], old_manifest, manifest, artifact, referrers;

static struct {
    enum {
        RIGHT,
        BY_TAG,           /* a registry without the API of referrers */
        NO_LAYERS,        /* has the delta, but fails for the layer itself */
        NO_LAYERS_AT_ALL, /* fails for a layer, and has no delta */
        NO_OFFER,         /* 404 for both */
        BAD_OFFER,        /* not JSON */
        NO_ARTIFACT,      /* the index has it, the registry has not */
        DAMAGED,          /* the delta on the registry's disk */
        CUT,              /* the delta ends early, and its digest is of that */
        OTHER,            /* the delta makes something else of the same size */
        LYING,            /* `to.size` is not the layer's */
        LARGER,           /* the delta is not smaller than the layer */
        NO_BASE,          /* one of the old layers is not here */
        BASE_GONE,        /* after it was found */
        BASE_WRONG,       /* on the node's disk */
        FULL_DISK,        /* when half of the layer is made */
        SLOW,             /* most of a large layer's delta comes, the tail only when release_tail() is called */
        SLOW_SMALL,       /* and of a small one's */
    } mood;
    unsigned layers, deltas, ranges; /* requests for them */
    bool wants_token;                /* refuses blobs without one, with many words */
    bool proxy_refuses;              /* a request for a part */
} seen;

/* Of the exchange whose tail waits; NULL: none. */
static struct hf_streamed_exchange *held;
static uint64_t ahead_ns;

static uint64_t mono_ns(void *ctx)
{
    (void)ctx;
    return hf_mono_ns(hf_clock_posix()) + ahead_ns;
}

static uint64_t unix_ns(void *ctx)
{
    (void)ctx;
    return hf_unix_ns(hf_clock_posix());
}

static const struct hf_clock_ops test_clock = {.mono_ns = mono_ns, .unix_ns = unix_ns};

/* ---- the image --------------------------------------------------------------------------------------------------- */

static int add(void *ctx, const void *bytes, size_t n)
{
    return hf_buf_add(ctx, bytes, n);
}

static struct blob blob_of(const void *bytes, size_t n)
{
    struct blob blob = {.p = malloc(n), .n = n};

    ck_assert_ptr_nonnull(blob.p);
    memcpy(blob.p, bytes, n);
    (void)hf_oci_digest_of(bytes, n, blob.digest);
    return blob;
}

static void scramble(char *p, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        p[i] = (char)(seed >> 56);
    }
}

/* Random bytes, so that a delta has to carry each that changed. */
static void make_layer(unsigned i)
{
    static char bytes[LARGE];
    const size_t n = seen.mood == SLOW && i == 0 ? LARGE : SIZE;

    scramble(bytes, n, 7 + i);
    bases[i] = blob_of(bytes, n);
    for (size_t k = 0; k < CHANGES; k++)
        scramble(bytes + k * (n / CHANGES), seen.mood == LARGER ? n / CHANGES : CHANGE * (n / SIZE), 100 + k);
    layers[i] = blob_of(bytes, n);
}

static struct blob make_patch(unsigned i)
{
    struct hf_buf patch = HF_BUF_INIT(4 << 20);
    const size_t n = layers[i].n;
    struct hf_deep_part part = {.size = n};
    const struct hf_delta_out out = {&patch, add};
    const struct hf_deep_create_params params = {
        .delta.profile = n == LARGE ? HF_DELTA_FAST : HF_DELTA_SMALL, .parts = &part, .parts_n = 1};
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_hex_decode(bases[i].digest + 7, part.sha256, sizeof(part.sha256)), 0);
    layers[i].p[n - 1] ^= seen.mood == OTHER;
    int r = hf_deep_create(bases[i].p, n, layers[i].p, n, &params, &out, &err);
    layers[i].p[n - 1] ^= seen.mood == OTHER;
    ck_assert_msg(r == 0, "%s", err.cause);
    struct blob blob = blob_of(patch.p, patch.n);
    hf_buf_done(&patch);
    return blob;
}

static void make_delta(unsigned i)
{
    bool is_usual = seen.mood != OTHER && seen.mood != LARGER && layers[i].n == SIZE;
    struct blob patch = is_usual ? usual[i] : make_patch(i);

    deltas[i] = blob_of(patch.p, seen.mood == CUT ? patch.n * 2 / 3 : patch.n);
    if (!is_usual)
        free(patch.p);
}

/* To make a delta takes longer than most tests: what most of them serve is made once. */
static void make_usual(void)
{
    for (unsigned i = 0; i < LAYERS; i++) {
        make_layer(i);
        usual[i] = make_patch(i);
        free(bases[i].p);
        free(layers[i].p);
    }
}

static void free_usual(void)
{
    for (unsigned i = 0; i < LAYERS; i++)
        free(usual[i].p);
}

static struct blob make_manifest(const struct blob *from)
{
    char text[1000];
    int n =
        snprintf(text, sizeof(text),
                 "{\"schemaVersion\":2,\"mediaType\":\"" HF_OCI_TYPE_MANIFEST
                 "\",\"config\":{\"mediaType\":\"" HF_OCI_TYPE_CONFIG "\",\"digest\":\"%s\",\"size\":%d},\"layers\":["
                 "{\"mediaType\":\"" LAYER "\",\"digest\":\"%s\",\"size\":%zu},"
                 "{\"mediaType\":\"" LAYER "\",\"digest\":\"%s\",\"size\":%zu}]}",
                 from[0].digest, SIZE, from[0].digest, from[0].n, from[1].digest, from[1].n);

    return blob_of(text, (size_t)n);
}

static void make_artifact(void)
{
    struct hf_oci_delta_blob blobs[LAYERS + 1] = {{.to_size = manifest.n}};
    struct hf_oci_image_delta delta = {.blobs = blobs, .blobs_n = LAYERS + 1};
    struct hf_oci_delta_offer offer = {.bytes = 0};
    struct hf_buf text = HF_BUF_INIT(1 << 20), index = HF_BUF_INIT(1 << 20);

    (void)snprintf(delta.subject.media_type, sizeof(delta.subject.media_type), HF_OCI_TYPE_MANIFEST);
    (void)snprintf(delta.subject.digest, sizeof(delta.subject.digest), "%s", manifest.digest);
    delta.subject.size = manifest.n;
    (void)snprintf(delta.from, sizeof(delta.from), "%s", old_manifest.digest);
    blobs[0].blob = delta.subject;
    memcpy(blobs[0].to, manifest.digest, sizeof(blobs[0].to));
    for (size_t i = 0; i < LAYERS; i++) {
        struct hf_oci_delta_blob *blob = &blobs[i + 1];
        (void)snprintf(blob->blob.media_type, sizeof(blob->blob.media_type), HF_OCI_TYPE_LAYER_DELTA);
        memcpy(blob->blob.digest, deltas[i].digest, sizeof(blob->blob.digest));
        blob->blob.size = deltas[i].n;
        memcpy(blob->to, layers[i].digest, sizeof(blob->to));
        blob->to_size = layers[i].n + (seen.mood == LYING);
        blob->from = &bases[i].digest;
        blob->from_n = 1;
    }
    ck_assert_int_eq(hf_oci_image_delta_format(&delta, &text, NULL), 0);
    artifact = blob_of(text.p, text.n);
    (void)snprintf(offer.artifact.media_type, sizeof(offer.artifact.media_type), HF_OCI_TYPE_MANIFEST);
    memcpy(offer.artifact.digest, artifact.digest, sizeof(offer.artifact.digest));
    offer.artifact.size = artifact.n;
    memcpy(offer.to, manifest.digest, sizeof(offer.to));
    memcpy(offer.from, old_manifest.digest, sizeof(offer.from));
    offer.bytes = hf_oci_image_delta_bytes(&delta);
    ck_assert_int_eq(hf_oci_delta_offer_add((struct hf_view){"", 0}, &offer, &index, NULL), 0);
    referrers = blob_of(index.p, index.n);
    hf_buf_done(&text);
    hf_buf_done(&index);
}

static void blob_path(const struct blob *blob, char path[200])
{
    (void)snprintf(path, 200, "%s/blobs/sha256/%s", folder, blob->digest + 7);
}

static void keep(const struct blob *blob)
{
    char path[200];

    blob_path(blob, path);
    ck_assert_int_eq(hf_file_replace(hf_fs_posix(), path, blob->p, blob->n, 0644, NULL), 0);
}

/* ---- the registry ------------------------------------------------------------------------------------------------ */

static void say(struct hf_streamed_exchange *exchange, int status, const char *head, const char *p, size_t n)
{
    const char *range = strstr(head, "Range: bytes=");
    char text[300], fields[100] = "";
    unsigned long from = 0, to = n - 1;

    if (range != NULL && status == 200) {
        (void)sscanf(range, "Range: bytes=%lu-%lu", &from, &to);
        (void)snprintf(fields, sizeof(fields), "Content-Range: bytes %lu-%lu/%zu\r\n", from, to, n);
        n = to + 1;
        status = 206;
        seen.ranges++;
    }
    (void)snprintf(text, sizeof(text), "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%sConnection: close\r\n\r\n", status,
                   n - from, fields);
    ck_assert_int_ge(hf_streamed_send(exchange, text, strlen(text)), 0);
    for (size_t at = from; at < n; at += 100000)
        (void)!hf_streamed_send(exchange, p + at, HF_MIN(n - at, (size_t)100000));
    hf_streamed_end(exchange);
}

static size_t tail_of(const struct blob *delta)
{
    return delta->n / 4;
}

static void hold_tail(struct hf_streamed_exchange *exchange, const struct blob *delta)
{
    char text[200];

    hf_streamed_attend(exchange, &held);
    (void)snprintf(text, sizeof(text), "HTTP/1.1 200 X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", delta->n);
    ck_assert_int_ge(hf_streamed_send(exchange, text, strlen(text)), 0);
    ck_assert_int_ge(hf_streamed_send(exchange, delta->p, delta->n - tail_of(delta)), 0);
    held = exchange;
}

static void release_tail(bool damaged)
{
    struct blob *delta = &deltas[0];

    ck_assert_ptr_nonnull(held);
    delta->p[delta->n - 100] ^= damaged;
    ck_assert_int_ge(hf_streamed_send(held, delta->p + delta->n - tail_of(delta), tail_of(delta)), 0);
    delta->p[delta->n - 100] ^= damaged;
    hf_streamed_end(hf_steal(held));
}

static bool is_for(const char *head, const char *kind, const char *reference)
{
    char line[200];

    (void)snprintf(line, sizeof(line), "GET /v2/team/app/%s/%s", kind, reference);
    return strncmp(head, line, strlen(line)) == 0;
}

static bool say_token(struct hf_streamed_exchange *exchange, const char *head)
{
    static const char token[] = "{\"token\":\"t0\"}", words[50000];
    char text[300];
    bool asks = strncmp(head, "GET /token", 10) == 0;

    if (asks)
        say(exchange, 200, head, token, strlen(token));
    if (asks || !seen.wants_token || strstr(head, "/blobs/") == NULL ||
        strstr(head, "Authorization: Bearer t0") != NULL)
        return asks;
    (void)snprintf(text, sizeof(text),
                   "HTTP/1.1 401 X\r\nContent-Length: %zu\r\nWWW-Authenticate: Bearer realm=\"http://%s/token\","
                   "service=\"s\"\r\nConnection: close\r\n\r\n",
                   sizeof(words), host);
    ck_assert_int_ge(hf_streamed_send(exchange, text, strlen(text)), 0);
    ck_assert_int_ge(hf_streamed_send(exchange, words, sizeof(words)), 0);
    hf_streamed_end(exchange);
    return true;
}

static bool say_layer(struct hf_streamed_exchange *exchange, const char *head)
{
    for (unsigned i = 0; i < LAYERS; i++) {
        if (is_for(head, "blobs", layers[i].digest)) {
            seen.layers++;
            say(exchange, seen.mood == NO_LAYERS || seen.mood == NO_LAYERS_AT_ALL ? 500 : 200, head, layers[i].p,
                layers[i].n);
            return true;
        }
        if (is_for(head, "blobs", deltas[i].digest)) {
            seen.deltas++;
            if ((seen.mood == SLOW || seen.mood == SLOW_SMALL) && i == 0 && strstr(head, "Range:") == NULL) {
                hold_tail(exchange, &deltas[i]);
                return true;
            }
            deltas[i].p[100] ^= seen.mood == DAMAGED;
            say(exchange, 200, head, deltas[i].p, deltas[i].n);
            deltas[i].p[100] ^= seen.mood == DAMAGED;
            return true;
        }
    }
    return false;
}

static void asked(void *arg, struct hf_streamed_exchange *exchange, struct hf_view view)
{
    static int owner;
    char head[4096], tag[80];

    (void)arg;
    hf_streamed_attend(exchange, &owner);
    (void)snprintf(head, sizeof(head), "%.*s", (int)view.n, view.p);
    (void)snprintf(tag, sizeof(tag), "sha256-%s", manifest.digest + 7);
    bool by_api = is_for(head, "referrers", manifest.digest), by_tag = is_for(head, "manifests", tag);
    ck_assert(!by_api || strstr(head, "?artifactType=" HF_OCI_TYPE_IMAGE_DELTA " HTTP") != NULL);
    if (say_token(exchange, head) || say_layer(exchange, head))
        return;
    if (is_for(head, "manifests", manifest.digest))
        say(exchange, 200, head, manifest.p, manifest.n);
    else if ((by_api || by_tag) && seen.mood == BAD_OFFER)
        say(exchange, 200, head, "{\"schemaVersion\":2", 18);
    else if (seen.mood == BY_TAG || seen.mood == NO_OFFER || seen.mood == NO_LAYERS_AT_ALL
                 ? by_tag && seen.mood == BY_TAG
                 : by_api)
        say(exchange, 200, head, referrers.p, referrers.n);
    else if (is_for(head, "manifests", artifact.digest) && seen.mood != NO_ARTIFACT)
        say(exchange, 200, head, artifact.p, artifact.n);
    else
        say(exchange, 404, head, "", 0);
}

static void nothing(void *owner)
{
    (void)owner;
}

static void gone(void *owner)
{
    if (owner == &held)
        held = NULL;
}

/* Calls until one fails; beyond 0: none does. */
static atomic_int failing;
static atomic_bool stuck; /* what reads a file waits: a worker comes no further */

static bool fails(void)
{
    return atomic_fetch_sub(&failing, 1) == 1;
}

static ssize_t write_some(void *ctx, int fd, const void *bytes, size_t n, uint64_t offset)
{
    return fails()                                          ? -EIO
           : seen.mood == FULL_DISK && offset + n > FULL_AT ? -ENOSPC
                                                            : hf_fs_posix()->pwrite(ctx, fd, bytes, n, offset);
}

static ssize_t read_some(void *ctx, int fd, void *bytes, size_t n, uint64_t offset)
{
    while (atomic_load(&stuck))
        (void)usleep(1000);
    return fails() ? -EIO : hf_fs_posix()->pread(ctx, fd, bytes, n, offset);
}

static int open_some(void *ctx, int dirfd, const char *path, int flags, mode_t mode, unsigned resolve)
{
    return fails() ? -EMFILE : hf_fs_posix()->openat(ctx, dirfd, path, flags, mode, resolve);
}

static int unlink_some(void *ctx, int dirfd, const char *path, int flags)
{
    return fails() ? -EIO : hf_fs_posix()->unlinkat(ctx, dirfd, path, flags);
}

static int submit_some(void *ctx, struct hf_job *job)
{
    const struct hf_sched_ops *real = hf_loop_sched(loop);

    (void)ctx;
    return fails() ? -ENOMEM : hf_job_submit(real, job);
}

static struct hf_timer *timer_some(void *ctx, void (*fire)(void *arg), void *arg)
{
    const struct hf_sched_ops *real = hf_loop_sched(loop);

    (void)ctx;
    return fails() ? NULL : hf_timer_new(real, fire, arg);
}

static int refuse(void *arg, const struct hf_http_response *response)
{
    (void)arg, (void)response;
    return -ECONNABORTED;
}

static int start_some(void *ctx, const struct hf_http_request *request, struct hf_http_call **ret_call,
                      struct hf_err *err)
{
    struct hf_http_request copy = *request;

    for (size_t i = 0; seen.proxy_refuses && i < HF_HTTP_MAX_HEADERS && copy.headers[i] != NULL; i++)
        if (strncmp(copy.headers[i], "Range:", 6) == 0)
            copy.on_response = refuse;
    return hf_http_client_ops(client)->start(ctx, &copy, ret_call, err);
}

static void count_prefetched(void *arg, uint64_t bytes)
{
    (void)arg;
    prefetched += bytes;
}

/* ---- the scene --------------------------------------------------------------------------------------------------- */

static void settle(void)
{
    const char *registries[] = {host, alias, NULL}, *stores[] = {"/nowhere", folder, NULL},
               *images[] = {before, image, NULL};
    const struct hf_mirror_settings settings = {.registries = registries,
                                                .secret = "s3cret",
                                                .stores = stores,
                                                .folder = folder,
                                                .max_bytes = max_bytes,
                                                .images = image[0] == '\0'    ? NULL
                                                          : before[0] == '\0' ? images + 1
                                                                              : images,
                                                .platform = "linux/amd64"};

    ck_assert_int_eq(hf_mirror_settle(mirror, &settings, NULL), 0);
}

static void start(int mood)
{
    const struct hf_streamed_params params = {.address = "127.0.0.1", .asked = asked, .drained = nothing, .gone = gone};
    char path[200];

    memset(&seen, 0, sizeof(seen));
    seen.mood = mood;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/blobs/sha256", folder);
    ck_assert_int_eq(hf_dir_make(hf_fs_posix(), path, 0755, NULL), 0);
    for (unsigned i = 0; i < LAYERS; i++) {
        make_layer(i);
        make_delta(i);
    }
    old_manifest = make_manifest(bases);
    manifest = make_manifest(layers);
    make_artifact();
    keep(&old_manifest);
    keep(&bases[0]);
    if (mood != NO_BASE)
        keep(&bases[1]);
    fs = *hf_fs_posix();
    fs.pwrite = write_some;
    fs.pread = read_some;
    fs.openat = open_some;
    fs.unlinkat = unlink_some;
    loop = hf_loop_new(NULL);
    sched = *hf_loop_sched(loop);
    sched.submit = submit_some;
    sched.timer_new = timer_some;
    metrics = hf_metrics_new();
    ck_assert_int_eq(hf_streamed_new(loop, &params, &registry, NULL), 0);
    (void)snprintf(host, sizeof(host), "127.0.0.1:%u", hf_streamed_port(registry));
    (void)snprintf(alias, sizeof(alias), "localhost:%u", hf_streamed_port(registry));
    client = hf_http_client_new(loop, &(const struct hf_http_config){.user_agent = "test"}, NULL);
    http = *hf_http_client_ops(client);
    http.start = start_some;
    mirror = hf_mirror_new(&(const struct hf_mirror_params){
        .loop = loop,
        .metrics = metrics,
        .prefetched = count_prefetched,
        .upstream = {.sched = &sched, .fs = &fs, .http = &http, .clock = &test_clock}});
    settle();
}

/* Nothing but what was there before is in the folder. */
static void tear_down(void)
{
    struct blob *all[] = {&bases[0],  &bases[1],     &layers[0], &layers[1], &deltas[0],
                          &deltas[1], &old_manifest, &manifest,  &artifact,  &referrers};
    char path[200];

    hf_mirror_free(mirror);
    hf_streamed_free(registry);
    hf_http_client_free(client);
    hf_loop_free(loop);
    hf_metrics_free(metrics);
    (void)snprintf(path, sizeof(path), "%s/blobs", folder);
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), path, NULL), 0);
    (void)snprintf(path, sizeof(path), "%s/cache", folder);
    ck_assert_int_eq(access(path, F_OK) == 0, max_bytes > 0);
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), path, NULL), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    for (size_t i = 0; i < HF_LEN(all); i++)
        free(all[i]->p);
}

static struct raw_answer get(const char *kind, const char *digest, const char *more)
{
    char path[300], headers[300];

    (void)snprintf(path, sizeof(path), "/v2/team/app/%s/%s?ns=%s", kind, digest, host);
    (void)snprintf(headers, sizeof(headers), SECRET "%s", more);
    return raw_http_ask(loop, hf_mirror_port(mirror), "GET", path, headers);
}

static void get_manifest(void)
{
    struct raw_answer answer = get("manifests", manifest.digest, "");

    ck_assert_int_eq(answer.status, 200);
    ck_assert_uint_eq(answer.n, manifest.n);
    ck_assert_mem_eq(answer.body, manifest.p, manifest.n);
    raw_answer_done(&answer);
}

static void check_layer(unsigned i, bool whole)
{
    struct raw_answer answer = get("blobs", layers[i].digest, "");

    ck_assert_msg(answer.status == 200, "mood %d: %d %s", seen.mood, answer.status, answer.body);
    ck_assert_msg((answer.n == SIZE) == whole, "mood %d: %zu bytes", seen.mood, answer.n);
    if (whole)
        ck_assert_mem_eq(answer.body, layers[i].p, SIZE);
    raw_answer_done(&answer);
}

static double sent_bytes(const char *from)
{
    struct hf_metric_family *sent = hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_mirror_sent_bytes_total",
                                                     "The same.", HF_LABELS("from"));

    return hf_metric_value(hf_metric_with(sent, HF_LABELS(from)));
}

static double fetched_bytes(void)
{
    double value = 0;

    (void)hf_metrics_read(metrics, "holdfast_mirror_fetched_bytes_total", HF_METRICS_SUM, &value);
    return value;
}

/* ---- the cases --------------------------------------------------------------------------------------------------- */

static const struct {
    int mood;
    bool whole;              /* at the first time; always at the second */
    unsigned layers, deltas; /* requests in both times */
} cases_of[] = {
    {RIGHT, true, 0, 2},     {BY_TAG, true, 0, 2},      {NO_LAYERS, true, 0, 2}, {NO_OFFER, true, 2, 0},
    {BAD_OFFER, true, 2, 0}, {NO_ARTIFACT, true, 2, 0}, {DAMAGED, true, 2, 1},   {CUT, true, 2, 1},
    {OTHER, false, 1, 1},    {LYING, true, 2, 0},       {LARGER, true, 2, 0},    {NO_BASE, true, 2, 0},
    {BASE_GONE, true, 2, 2}, {BASE_WRONG, true, 2, 1},  {FULL_DISK, true, 2, 2},
};

START_TEST(one_layer)
{
    char path[200];

    start(cases_of[_i].mood);
    get_manifest();
    blob_path(&bases[0], path);
    if (seen.mood == BASE_GONE)
        ck_assert_int_eq(unlink(path), 0);
    if (seen.mood == BASE_WRONG) {
        bases[0].p[SIZE / 2] ^= 1;
        keep(&bases[0]);
    }
    check_layer(0, cases_of[_i].whole);
    get_manifest(); /* does not bring a bad delta back */
    check_layer(0, true);
    ck_assert_msg(seen.layers == cases_of[_i].layers && seen.deltas == cases_of[_i].deltas, "mood %d: %u, %u",
                  seen.mood, seen.layers, seen.deltas);
    if (seen.mood == RIGHT) {
        ck_assert_double_lt(fetched_bytes(), SIZE / 4);
        ck_assert_double_eq(sent_bytes("delta"), 2 * SIZE);
    }
    if (seen.mood == FULL_DISK) { /* the registry gave the rest */
        ck_assert_double_gt(sent_bytes("delta"), 0);
        ck_assert_double_le(sent_bytes("delta"), 2 * FULL_AT);
        ck_assert_uint_eq(seen.ranges, 2);
        ck_assert_double_eq(sent_bytes("delta") + sent_bytes("registry"), 2 * SIZE + 2 * (double)manifest.n);
    }
    tear_down();
}
END_TEST

/* A part of a layer comes from the registry: making it would cost all of it. */
START_TEST(a_part)
{
    start(RIGHT);
    get_manifest();
    struct raw_answer answer = get("blobs", layers[0].digest, "Range: bytes=1000-\r\n");
    ck_assert_int_eq(answer.status, 206);
    ck_assert_mem_eq(answer.body, layers[0].p + 1000, SIZE - 1000);
    raw_answer_done(&answer);
    ck_assert_uint_eq(seen.deltas, 0);
    tear_down();
}
END_TEST

static int ask_layer_of(const char *name, unsigned i)
{
    char request[600];
    int fd = raw_http_connect(hf_mirror_port(mirror));
    int n = snprintf(request, sizeof(request), "GET /v2/team/app/blobs/%s?ns=%s HTTP/1.1\r\n" SECRET "\r\n",
                     layers[i].digest, name);

    ck_assert_int_eq(send(fd, request, (size_t)n, MSG_NOSIGNAL), n);
    return fd;
}

static int ask_layer(unsigned i)
{
    return ask_layer_of(host, i);
}

/* Both are made, one after the other; clients that go in the middle, or while they wait, hold nobody up. */
START_TEST(at_once)
{
    static char text[SIZE + 4096];
    int fd[4];

    start(RIGHT);
    get_manifest();
    for (unsigned i = 0; i < HF_LEN(fd); i++)
        fd[i] = ask_layer(i % 2);
    loop_run_for(loop, (uint64_t)_i * 8 * HF_NS_PER_MS);
    (void)close(fd[0]);
    (void)close(fd[2]);
    for (unsigned i = 1; i < HF_LEN(fd); i += 2) {
        size_t n = raw_http_talk(loop, fd[i], "", 0, NULL, 60000, text, sizeof(text));
        ck_assert_uint_gt(n, SIZE);
        ck_assert_mem_eq(text + n - SIZE, layers[1].p, SIZE);
        (void)close(fd[i]);
    }
    ck_assert_uint_eq(seen.layers, 0);
    tear_down();
}
END_TEST

/* The mirror is turned off in the middle, and on again. */
START_TEST(turned_off)
{
    start(RIGHT);
    get_manifest();
    int fd = ask_layer(0), other = ask_layer(1);
    loop_run_for(loop, (uint64_t)_i * 8 * HF_NS_PER_MS);
    ck_assert_int_eq(hf_mirror_settle(mirror, NULL, NULL), 0);
    settle();
    check_layer(0, true);
    (void)close(fd);
    (void)close(other);
    tear_down();
}
END_TEST

/* ---- on a slow link ---------------------------------------------------------------------------------------------- */

static char taken[LARGE + 8192];
static size_t taken_n;

static void take(int fd, size_t until, unsigned limit_ms)
{
    for (unsigned ms = 0; taken_n < until && ms < limit_ms; ms += 100)
        taken_n += raw_http_talk(loop, fd, "", 0, NULL, 100, taken + taken_n, sizeof(taken) - taken_n);
}

static void check_taken(unsigned i)
{
    ck_assert_uint_gt(taken_n, layers[i].n);
    ck_assert_mem_eq(taken + taken_n - layers[i].n, layers[i].p, layers[i].n);
}

/* Asks for the layer whose delta has all but its tail. */
static int ask_slow(void)
{
    taken_n = 0;
    get_manifest();
    int fd = ask_layer(0);
    loop_wait_for(loop, held != NULL);
    take(fd, 1, 200);
    ck_assert_uint_eq(taken_n, 0); /* it may still arrive whole */
    return fd;
}

/* The layer's bytes leave while the delta arrives, and what happens to its tail costs no more than the pull. */
START_TEST(tail_is_late)
{
    enum { ARRIVES, DAMAGED_AFTER_ALL, LINK_BREAKS, CLIENT_GOES, TURNED_OFF };

    start(SLOW);
    int fd = ask_slow();
    ahead_ns += 6 * HF_NS_PER_S;
    take(fd, EARLY, 60000);
    ck_assert_uint_ge(taken_n, EARLY);
    ck_assert_uint_lt(taken_n, LARGE);
    ck_assert_ptr_nonnull(held);
    if (_i == ARRIVES || _i == DAMAGED_AFTER_ALL)
        release_tail(_i == DAMAGED_AFTER_ALL);
    else if (_i == LINK_BREAKS)
        hf_streamed_abort(hf_steal(held));
    else if (_i == TURNED_OFF)
        ck_assert_int_eq(hf_mirror_settle(mirror, NULL, NULL), 0);
    if (_i != CLIENT_GOES)
        take(fd, sizeof(taken), 5000);
    (void)close(fd);
    if (_i == ARRIVES || _i == LINK_BREAKS)
        check_taken(0);
    else
        ck_assert_uint_lt(taken_n, LARGE);
    const unsigned parts = seen.layers; /* a few bytes, on a busy machine */
    ck_assert_uint_eq(parts, seen.ranges - (_i == LINK_BREAKS));
    ck_assert_uint_eq(seen.deltas, _i == LINK_BREAKS ? 2 : 1);
    if (_i == DAMAGED_AFTER_ALL) { /* is not tried again */
        get_manifest();
        fd = ask_layer(0);
        loop_wait_for(loop, seen.layers > parts);
        (void)close(fd);
        ck_assert_uint_eq(seen.deltas, 1);
    }
    if (_i == TURNED_OFF)
        settle();
    tear_down();
}
END_TEST

/* Where the delta brings none, the registry gives a few bytes, also to one that waits for its turn. */
START_TEST(few_bytes)
{
    static char other[SIZE + 8192];
    size_t n = 0;

    start(SLOW);
    int fd = ask_slow(), fd_other = ask_layer(1);
    seen.mood = _i == 0 ? SLOW : NO_LAYERS;
    ahead_ns += 9 * HF_NS_PER_S;
    for (int i = 0; i < 200 && (taken_n < EARLY || seen.layers == 0 || (_i == 0 && n < 700)); i++) {
        take(fd, taken_n + 1, 100);
        n += raw_http_talk(loop, fd_other, "", 0, NULL, 100, other + n, sizeof(other) - n);
    }
    ck_assert_uint_eq(seen.deltas, 1);
    ck_assert_uint_ge(seen.layers, 1);
    ck_assert_uint_ge(taken_n, EARLY);
    ck_assert(_i == 0 ? n >= 700 && n < 2000 : n == 0);
    size_t before_n = taken_n, before_other = n;
    ahead_ns += _i == 0 ? 101 * HF_NS_PER_S : 0; /* without a byte, the other one would wait no longer */
    for (int i = 0; i < 200 && _i == 0 && (taken_n == before_n || n == before_other); i++) {
        take(fd, taken_n + 1, 100);
        n += raw_http_talk(loop, fd_other, "", 0, NULL, 100, other + n, sizeof(other) - n);
    }
    ck_assert_uint_le(taken_n, before_n + (35 << 10));
    ck_assert_int_eq(taken_n > before_n && n > before_other, _i == 0);
    release_tail(false);
    take(fd, sizeof(taken), 5000);
    check_taken(0);
    n += raw_http_talk(loop, fd_other, "", 0, NULL, 60000, other + n, sizeof(other) - n);
    ck_assert_uint_gt(n, SIZE);
    ck_assert_mem_eq(other + n - SIZE, layers[1].p, SIZE);
    ck_assert_uint_eq(seen.deltas, 2);
    ck_assert_double_lt(fetched_bytes(), (double)(deltas[0].n + deltas[1].n) + 40000);
    const double parts = sent_bytes("registry") - (double)manifest.n;
    ck_assert_double_le(parts, 1024 * (double)seen.layers);
    ck_assert(_i == 0 ? parts > 1024 : parts == 0.0);
    ck_assert_double_eq(sent_bytes("delta") + parts, LARGE + SIZE);
    (void)close(fd);
    (void)close(fd_other);
    tear_down();
}
END_TEST

/* A delta that trickles holds up no other registry, whose link may be another: its layer comes whole. */
START_TEST(another_registry)
{
    struct raw_answer answer;
    char path[300];
    size_t n = 0;

    start(SLOW);
    (void)snprintf(path, sizeof(path), "/v2/team/app/manifests/%s?ns=%s", manifest.digest, alias);
    answer = raw_http_ask(loop, hf_mirror_port(mirror), "GET", path, SECRET);
    ck_assert_int_eq(answer.status, 200);
    raw_answer_done(&answer);
    int fd = ask_slow(), fd_other = ask_layer_of(alias, 1);
    loop_run_for(loop, 300 * HF_NS_PER_MS);
    ahead_ns += 101 * HF_NS_PER_S;
    for (int i = 0; i < 200 && n <= SIZE; i++)
        n += raw_http_talk(loop, fd_other, "", 0, NULL, 100, taken + n, sizeof(taken) - n);
    ck_assert_uint_gt(n, SIZE);
    ck_assert_mem_eq(taken + n - SIZE, layers[1].p, SIZE);
    ck_assert_ptr_nonnull(held);
    (void)close(fd);
    (void)close(fd_other);
    tear_down();
}
END_TEST

/* A proxy that refuses the few bytes costs them alone. */
START_TEST(few_bytes_refused)
{
    start(SLOW_SMALL);
    int fd = ask_slow(), fd_other = ask_layer(1);
    seen.proxy_refuses = true;
    ahead_ns += 9 * HF_NS_PER_S;
    loop_wait_for(loop, seen.layers >= 1);
    loop_run_for(loop, 100 * HF_NS_PER_MS);
    release_tail(false);
    taken_n = 0;
    take(fd_other, SIZE + 1, 60000);
    take(fd_other, sizeof(taken), 500);
    check_taken(1);
    (void)close(fd);
    (void)close(fd_other);
    tear_down();
}
END_TEST

/* The words of a registry that wants a token are no part of a delta. */
START_TEST(token_has_ended)
{
    start(RIGHT);
    get_manifest();
    seen.wants_token = true;
    ck_assert_uint_lt(deltas[0].n, 50000);
    check_layer(0, true);
    ck_assert_uint_eq(seen.deltas, 1);
    ck_assert_uint_eq(seen.layers, 0);
    tear_down();
}
END_TEST

/* The pull has the whole, or breaks off, or is refused, and the next one has the whole. False: no such call. */
static bool pull_with_failure(int at)
{
    struct raw_answer answer;

    atomic_store(&failing, at);
    answer = get("manifests", manifest.digest, "");
    ck_assert(answer.status == 200 || answer.status == 502);
    raw_answer_done(&answer);
    taken_n = 0;
    int fd = ask_layer(0);
    for (int i = 0; i < 600 && held == NULL && taken_n == 0; i++)
        take(fd, 1, 100);
    ahead_ns += 6 * HF_NS_PER_S;
    take(fd, 1, 100);
    if (held != NULL)
        release_tail(false);
    take(fd, sizeof(taken), 1000);
    (void)close(fd);
    if (taken_n >= SIZE)
        check_taken(0);
    if (held != NULL)
        hf_streamed_end(hf_steal(held));
    bool reached = atomic_exchange(&failing, 0) <= 0;
    seen.mood = RIGHT;
    unsigned deltas_n = seen.deltas;
    get_manifest();
    check_layer(0, true);
    ck_assert_uint_eq(seen.deltas, deltas_n + 1); /* which a failure has not taken away */
    seen.mood = SLOW_SMALL;
    return reached;
}

START_TEST(each_call_fails)
{
    unsigned n = 0;

    start(SLOW_SMALL);
    for (uint64_t at = hf_walk_next("made", 0); pull_with_failure((int)at); at = hf_walk_next("made", at))
        n++;
    ck_assert_uint_gt(n, 2);
    tear_down();
}
END_TEST

/* ---- with a cache ------------------------------------------------------------------------------------------------ */

static void wait_for(const struct blob *blob)
{
    char path[200];

    (void)snprintf(path, sizeof(path), "%s/cache/blobs/sha256/%s", folder, blob->digest + 7);
    ck_assert_msg(loop_run_until(loop, access(path, F_OK) == 0), "%s", path);
}

/* What was made, and the manifest, are kept: with the registry away they are here, also as the base of what comes next,
 * when containerd has dropped its own. */
START_TEST(what_was_made_is_kept)
{
    char path[200];
    struct stat st;

    max_bytes = 4 << 20;
    start(RIGHT);
    get_manifest();
    check_layer(0, true);
    wait_for(&layers[0]);
    wait_for(&manifest);
    seen.mood = NO_LAYERS;
    (void)snprintf(path, sizeof(path), "%s/cache/blobs/sha256/%s", folder, layers[0].digest + 7);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, (const struct timespec[2]){{1, 0}, {1, 0}}, 0), 0);
    check_layer(0, true);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_gt(st.st_mtim.tv_sec, 1); /* who was read goes later */
    get_manifest();
    ck_assert_uint_eq(seen.layers, 0);
    ck_assert_uint_eq(seen.deltas, 1);
    ck_assert_double_ge(sent_bytes("node"), SIZE);
    tear_down();
}
END_TEST

/* Damaged on the disk: never whole to a client, and brought again. */
START_TEST(damaged_in_the_cache)
{
    char path[200];

    max_bytes = 4 << 20;
    start(NO_OFFER);
    check_layer(0, true);
    wait_for(&layers[0]);
    (void)snprintf(path, sizeof(path), "%s/cache/blobs/sha256/%s", folder, layers[0].digest + 7);
    layers[0].p[SIZE / 2] ^= 1;
    ck_assert_int_eq(hf_file_replace(hf_fs_posix(), path, layers[0].p, SIZE, 0600, NULL), 0);
    layers[0].p[SIZE / 2] ^= 1;
    if (_i == 0) {
        check_layer(0, false);
    } else { /* in parts, which nobody can compare: found after the last one */
        static const char *const parts[] = {"Range: bytes=0-99\r\n", "Range: bytes=100-\r\n"};
        for (size_t i = 0; i < HF_LEN(parts); i++) {
            ck_assert_int_eq(access(path, F_OK), 0);
            struct raw_answer answer = get("blobs", layers[0].digest, parts[i]);
            ck_assert_int_eq(answer.status, 206);
            raw_answer_done(&answer);
        }
        loop_wait_for(loop, access(path, F_OK) != 0);
    }
    check_layer(0, true);
    ck_assert_uint_eq(seen.layers, 2);
    tear_down();
}
END_TEST

/* The client leaves in the middle; the next one gets the rest from the registry, and the whole. */
START_TEST(goes_on)
{
    char path[200];

    max_bytes = 4 << 20;
    start(NO_OFFER);
    (void)snprintf(path, sizeof(path), "%s/cache/partial/%s.%d", folder, layers[0].digest + 7, SIZE);
    layers[0].p[9] ^= _i == 1; /* a power cut left other bytes */
    ck_assert_int_eq(hf_file_replace(hf_fs_posix(), path, layers[0].p, 150000, 0600, NULL), 0);
    layers[0].p[9] ^= _i == 1;
    if (_i == 2) { /* and another size than the blob's, of which nothing may come */
        char wrong[200];
        (void)snprintf(wrong, sizeof(wrong), "%s/cache/partial/%s.%d", folder, layers[0].digest + 7, SIZE + 7);
        ck_assert_int_eq(rename(path, wrong), 0);
        struct raw_answer answer = get("blobs", layers[0].digest, "");
        ck_assert_int_eq(answer.status, 502);
        raw_answer_done(&answer);
    } else {
        check_layer(0, _i == 0);
    }
    ck_assert_uint_eq(seen.ranges, 1);
    if (_i == 0)
        wait_for(&layers[0]);
    check_layer(0, true);
    wait_for(&layers[0]);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_double_lt(fetched_bytes(), _i == 0 ? SIZE - 150000 + 1000 : 3 * SIZE);
    tear_down();
}
END_TEST

/* Nothing is kept where there is no room, and a client gets all the same. */
START_TEST(no_room)
{
    char path[200];

    max_bytes = SIZE / 2;
    start(NO_OFFER);
    get_manifest();
    check_layer(0, true);
    struct raw_answer answer = get("blobs", layers[0].digest, "X-Holdfast-Prefetch: 1\r\n");
    ck_assert_int_eq(answer.status, 502); /* for which nobody waits */
    raw_answer_done(&answer);
    (void)snprintf(path, sizeof(path), "%s/cache/blobs/sha256/%s", folder, layers[0].digest + 7);
    ck_assert_int_ne(access(path, F_OK), 0);
    tear_down();
}
END_TEST

/* ---- before a pod asks ------------------------------------------------------------------------------------------- */

static struct hf_mirror_ready wait_ready(bool ready, const char *reason)
{
    struct hf_mirror_ready found;
    bool is = loop_run_until(loop, (found = hf_mirror_ready(mirror), found.ready == ready) &&
                                       strcmp(found.reason, reason) == 0);

    ck_assert_msg(is && found.asked, "%s: %s", found.reason, found.message);
    return found;
}

static void want(int mood, const char *digest)
{
    start(mood);
    hf_mirror_gate(mirror, "LinkWindowClosed");
    (void)snprintf(image, sizeof(image), "%s/team/app:1@%s", host, digest != NULL ? digest : manifest.digest);
    settle();
}

/* In the window, and by delta; then a pod gets it without the registry, and after a restart it is still here. */
START_TEST(ready_before)
{
    max_bytes = 4 << 20;
    want(RIGHT, NULL);
    struct hf_mirror_ready found = wait_ready(false, "LinkWindowClosed");
    ck_assert_ptr_nonnull(strstr(found.message, "0 of 1"));
    loop_run_for(loop, 100 * HF_NS_PER_MS);
    ck_assert_double_eq(fetched_bytes(), 0);
    hf_mirror_gate(mirror, NULL);
    (void)wait_ready(true, "Ready");
    ck_assert_uint_eq(seen.layers, 0);
    ck_assert_uint_eq(seen.deltas, 2);
    ck_assert_double_lt(fetched_bytes(), SIZE / 3);
    ck_assert_double_eq(fetched_bytes(), (double)prefetched);
    ck_assert_double_eq(sent_bytes("delta"), 0); /* containerd has had nothing */
    hf_streamed_free(hf_steal(registry));
    settle();
    (void)wait_ready(true, "Ready");
    get_manifest();
    check_layer(0, true);
    check_layer(1, true);
    tear_down();
}
END_TEST

/* A delta that has arrived and asks for work without end is given up, and the registry gives the layer; not before a
 * slow node would have made it. */
START_TEST(ready_without_end)
{
    max_bytes = 4 << 20;
    want(RIGHT, NULL);
    atomic_store(&stuck, true);
    hf_mirror_gate(mirror, NULL);
    loop_wait_for(loop, seen.deltas == 1);
    loop_run_for(loop, 300 * HF_NS_PER_MS);
    ahead_ns += 29 * 60 * HF_NS_PER_S;
    loop_run_for(loop, 300 * HF_NS_PER_MS);
    ck_assert_uint_eq(seen.layers, 0);
    ahead_ns += 2 * 60 * HF_NS_PER_S;
    loop_wait_for(loop, seen.layers == 1);
    atomic_store(&stuck, false);
    (void)wait_ready(true, "Ready");
    ck_assert_uint_eq(seen.layers, 1);
    ck_assert_uint_eq(seen.deltas, 2);
    tear_down();
}
END_TEST

/* Half of a layer was there when the power went. */
START_TEST(ready_goes_on)
{
    char path[200];

    max_bytes = 4 << 20;
    want(NO_OFFER, NULL);
    (void)snprintf(path, sizeof(path), "%s/cache/partial/%s.%d", folder, layers[1].digest + 7, SIZE);
    ck_assert_int_eq(hf_file_replace(hf_fs_posix(), path, layers[1].p, SIZE / 2, 0600, NULL), 0);
    hf_mirror_gate(mirror, NULL);
    (void)wait_ready(true, "Ready");
    ck_assert_uint_eq(seen.ranges, 1);
    ck_assert_double_lt(fetched_bytes(), SIZE * 1.6);
    tear_down();
}
END_TEST

/* An image that does not fit beside another one takes nothing from it, also as the first of the list. */
START_TEST(beside_another)
{
    static const struct blob lacking[LAYERS] = {
        {.digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
        {.digest = "sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}};
    struct blob other = make_manifest(lacking);

    max_bytes = SIZE * 5 / 2;
    want(NO_OFFER, NULL);
    hf_mirror_gate(mirror, NULL);
    (void)wait_ready(true, "Ready");
    double bytes = fetched_bytes();
    keep(&other);
    (void)snprintf(before, sizeof(before), "%s/team/app@%s", host, other.digest);
    settle();
    ck_assert_ptr_nonnull(strstr(wait_ready(false, "CacheFull").message, "1 of 2"));
    ck_assert_double_eq(fetched_bytes(), bytes);
    wait_for(&layers[0]);
    wait_for(&layers[1]);
    free(other.p);
    tear_down();
}
END_TEST

/* Images that the policy does not name have filled the cache: they go for one that it names, and for no other. */
START_TEST(named_goes_first)
{
    char from[200], to[200];
    const char *images[] = {image, before, NULL};

    max_bytes = SIZE * 5 / 2;
    want(NO_OFFER, NULL);
    for (size_t i = 0; i < LAYERS; i++) {
        (void)snprintf(from, sizeof(from), "%s/blobs/sha256/%s", folder, bases[i].digest + 7);
        (void)snprintf(to, sizeof(to), "%s/cache/blobs/sha256/%s", folder, bases[i].digest + 7);
        ck_assert_int_eq(rename(from, to), 0);
    }
    (void)snprintf(before, sizeof(before), "%s/team/app@%s", host, old_manifest.digest);
    ck_assert_int_eq(hf_mirror_prefetch(mirror, images, (size_t)_i, "linux/amd64", NULL), 0);
    hf_mirror_gate(mirror, NULL);
    struct hf_mirror_ready found = wait_ready(false, "CacheFull");
    const struct blob *lacks = _i == 0 ? &manifest : &old_manifest;
    (void)snprintf(to, sizeof(to), "1 of 2 images are here; %s/team/app@%.19s ", host, lacks->digest);
    ck_assert_msg(strncmp(found.message, to, strlen(to)) == 0, "%s", found.message);
    for (size_t i = 0; i < LAYERS; i++) {
        (void)snprintf(to, sizeof(to), "%s/cache/blobs/sha256/%s", folder, layers[i].digest + 7);
        ck_assert_int_eq(access(to, F_OK) == 0, _i == 1);
    }
    tear_down();
}
END_TEST

/* One whose registry sends next to nothing holds up no other one; alone, it may take its time. */
START_TEST(so_slowly)
{
    static const struct blob lacking[LAYERS] = {
        {.digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
        {.digest = "sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}};
    struct blob other = make_manifest(lacking);

    max_bytes = 4 << 20;
    want(SLOW_SMALL, NULL);
    if (_i > 0) {
        memcpy(before, image, sizeof(before));
        (void)snprintf(image, sizeof(image), "%s/team/app@%s", host, other.digest);
    }
    settle();
    hf_mirror_gate(mirror, NULL);
    loop_wait_for(loop, held != NULL);
    ahead_ns += 301 * HF_NS_PER_S;
    if (_i == 0)
        loop_run_for(loop, 1500 * HF_NS_PER_MS);
    struct hf_mirror_ready found = wait_ready(false, _i > 0 ? "RegistryFailed" : "Fetching");
    if (_i > 0)
        ck_assert_ptr_nonnull(strstr(found.message, "so slowly"));
    free(other.p);
    tear_down();
}
END_TEST

static const struct {
    int mood;
    uint64_t max_bytes;
    bool other; /* not the digest that the registry has */
    const char *reason;
    bool ready;
} waits[] = {{RIGHT, 0, false, "NoCache", false},
             {RIGHT, SIZE / 2, false, "CacheFull", false},
             {RIGHT, 4 << 20, true, "ImageUnknown", false},
             {NO_LAYERS_AT_ALL, 4 << 20, false, "RegistryFailed", false},
             {FULL_DISK, 4 << 20, false, "DiskFull", false},
             {DAMAGED, 4 << 20, false, "Ready", true},
             {BAD_OFFER, 4 << 20, false, "Ready", true}};

/* Each reason has its name, and nothing is asked for again and again. */
START_TEST(waits_for)
{
    static const char other[] = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    max_bytes = waits[_i].max_bytes;
    want(waits[_i].mood, waits[_i].other ? other : NULL);
    hf_mirror_gate(mirror, NULL);
    (void)wait_ready(waits[_i].ready, waits[_i].reason);
    unsigned layers_seen = seen.layers, deltas_seen = seen.deltas;
    double bytes = fetched_bytes();
    loop_run_for(loop, 1500 * HF_NS_PER_MS);
    ck_assert_uint_eq(seen.layers, layers_seen);
    ck_assert_uint_eq(seen.deltas, deltas_seen);
    ck_assert_double_eq(fetched_bytes(), bytes);
    tear_down();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_unchecked_fixture(tc, make_usual, free_usual);
    tcase_add_loop_test(tc, tail_is_late, 0, 5);
    tcase_add_loop_test(tc, few_bytes, 0, 2);
    tcase_add_test(tc, few_bytes_refused);
    tcase_add_test(tc, another_registry);
    tcase_add_test(tc, token_has_ended);
    tcase_add_test(tc, each_call_fails);
    tcase_add_test(tc, ready_before);
    tcase_add_test(tc, ready_without_end);
    tcase_add_test(tc, ready_goes_on);
    tcase_add_test(tc, beside_another);
    tcase_add_loop_test(tc, named_goes_first, 0, 2);
    tcase_add_loop_test(tc, so_slowly, 0, 2);
    tcase_add_loop_test(tc, waits_for, 0, HF_LEN(waits));
    tcase_add_test(tc, what_was_made_is_kept);
    tcase_add_loop_test(tc, damaged_in_the_cache, 0, 2);
    tcase_add_loop_test(tc, goes_on, 0, 3);
    tcase_add_test(tc, no_room);
    tcase_add_loop_test(tc, one_layer, 0, HF_LEN(cases_of));
    tcase_add_test(tc, a_part);
    tcase_add_loop_test(tc, at_once, 0, 3);
    tcase_add_loop_test(tc, turned_off, 0, 3);
}

HF_TEST_MAIN("mirror/made", cases)
