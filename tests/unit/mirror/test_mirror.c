/* SPDX-License-Identifier: Apache-2.0 */
/* The mirror before a registry that does as a script says: what passes, what is refused, what wrong content costs. Both
 * and the client are on one loop. */
#include "mirror/mirror.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/sha256.h"
#include "loop/http/client.h"
#include "loop/server/streamed.h"
#include "os/clock_posix.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/loop_for.h"
#include "support/raw_http.h"

enum { SIZE = 300000 };

static struct hf_loop *loop;
static struct hf_http_client *client;
static struct hf_streamed *registry;
static struct hf_mirror *mirror;
static struct hf_metrics *metrics;
static char tags_path[64], blob[SIZE], blob_path[200], host[32], digest[72], folder[] = "/tmp/hf-mirror-XXXXXX";
static const char manifest[] = "{\"schemaVersion\":2}";
static char *large; /* the manifest in its place, or NULL */

static struct {
    enum {
        HONEST,
        WRONG,     /* the last byte */
        CUT,       /* half of what the head says */
        CUT_ONCE,  /* then honest, also from a Range */
        CUT_OTHER, /* then other lengths */
        NO_LENGTH,
        BUSY,           /* 429 */
        FAILS,          /* 500 */
        DENIES,         /* 401 without a challenge */
        TOKEN,          /* wants a token for each */
        BAD_TOKEN,      /* the service for tokens denies */
        EXPIRES,        /* the token, in the middle of the blob */
        EXPIRES_DENIED, /* and the service for tokens denies the next */
        CUT_DENIES,     /* then 401 without a challenge */
        CUT_BUSY,       /* then 429 */
        CUT_GONE,       /* then 404 */
        CUT_WHOLE,      /* then the whole, also for a Range */
        CUT_SHIFTS,     /* then another part than the Range says */
        MORE,           /* than the head says */
        LONGER,         /* a part, up to a byte more than asked for */
        ENDLESS,        /* without a length */
        ENDLESS_401,    /* with a challenge */
        ENDLESS_TOKEN,  /* the service's answer */
        ENDLESS_500,
        NO_BLOB,
        BASIC,  /* 401 without a challenge to whoever has a token */
        SILENT, /* never answers */
    } mood;
    unsigned asked, tokens, cuts;
    char head[4096]; /* of the last request */
} seen;

/* ---- the registry ------------------------------------------------------------------------------------------------ */

static void say(struct hf_streamed_exchange *exchange, const char *status, const char *fields, const void *body,
                size_t n, size_t promised)
{
    char head[1024];
    int k = snprintf(head, sizeof(head), "HTTP/1.1 %s\r\n%s", status, fields);

    if (promised != SIZE_MAX)
        k += snprintf(head + k, sizeof(head) - (size_t)k, "Content-Length: %zu\r\n", promised);
    (void)snprintf(head + k, sizeof(head) - (size_t)k, "Connection: close\r\n\r\n");
    ck_assert_int_ge(hf_streamed_send(exchange, head, strlen(head)), 0);
    if (n > 0)
        ck_assert_int_ge(hf_streamed_send(exchange, body, n), 0);
    hf_streamed_end(exchange);
}

/* Bytes for as long as somebody takes them. */
static void drained(void *owner)
{
    if (seen.mood == MORE || seen.mood >= ENDLESS)
        ck_assert_int_ge(hf_streamed_send(owner, blob, SIZE), 0);
}

static void say_on(struct hf_streamed_exchange *exchange, const char *status, size_t promised)
{
    char head[300];
    int k = snprintf(head, sizeof(head), "HTTP/1.1 %s\r\n", status);

    if (promised != SIZE_MAX)
        k += snprintf(head + k, sizeof(head) - (size_t)k, "Content-Length: %zu\r\n", promised);
    (void)snprintf(head + k, sizeof(head) - (size_t)k,
                   "WWW-Authenticate: Bearer realm=\"http://%s/token\",service=\"s\"\r\nConnection: close\r\n\r\n",
                   host);
    ck_assert_int_ge(hf_streamed_send(exchange, head, strlen(head)), 0);
    drained(exchange);
}

static void say_blob(struct hf_streamed_exchange *exchange, const char *head)
{
    const char *range = strstr(head, "Range: bytes=");
    unsigned long from = 0, to = SIZE - 1;
    char fields[200] = "";

    if (range != NULL) {
        (void)sscanf(range, "Range: bytes=%lu-%lu", &from, &to);
        to += seen.mood == LONGER && to < SIZE - 1;
        (void)snprintf(fields, sizeof(fields), "Content-Range: bytes %lu-%lu/%d\r\n", from, to, SIZE);
    }
    const char *status = range != NULL ? "206 Partial Content" : "200 OK";
    size_t n = to + 1 - from;
    bool first = seen.cuts == 0;
    switch (seen.mood) {
    case CUT:
        say(exchange, status, fields, blob + from, n / 2, n);
        return;
    case CUT_ONCE:
    case CUT_OTHER:
    case CUT_DENIES:
    case CUT_BUSY:
    case CUT_GONE:
    case CUT_SHIFTS:
    case EXPIRES:
    case EXPIRES_DENIED:
        seen.cuts++;
        if (!first && seen.mood == CUT_OTHER)
            n -= 1;
        if (!first && seen.mood == CUT_SHIFTS)
            (void)snprintf(fields, sizeof(fields), "Content-Range: bytes %lu-%lu/%d\r\n", from - 1, to - 1, SIZE);
        if (!first && seen.mood == CUT_DENIES)
            say(exchange, "401 Unauthorized", "", "", 0, 0);
        else if (!first && seen.mood == CUT_BUSY)
            say(exchange, "429 Too Many Requests", "", "", 0, 0);
        else if (!first && seen.mood == CUT_GONE)
            say(exchange, "404 Not Found", "", "", 0, 0);
        else
            say(exchange, status, fields, blob + from, first ? n / 2 : n, n);
        return;
    case CUT_WHOLE:
        say(exchange, "200 OK", "", blob, seen.cuts++ == 0 ? SIZE / 2 : SIZE, SIZE);
        return;
    case MORE:
    case ENDLESS:
        say_on(exchange, status, seen.mood == MORE ? n : SIZE_MAX);
        return;
    case WRONG:
        blob[SIZE - 1] ^= 1;
        say(exchange, status, fields, blob + from, n, n);
        blob[SIZE - 1] ^= 1;
        return;
    case NO_LENGTH:
        say(exchange, status, fields, blob + from, n, SIZE_MAX);
        return;
    default:
        say(exchange, status, fields, blob + from, n, n);
    }
}

static void say_manifest(struct hf_streamed_exchange *exchange)
{
    const char *text = large != NULL ? large : manifest;
    char fields[300], hex[HF_SHA256_HEX];

    (void)snprintf(fields, sizeof(fields),
                   "Content-Type: application/vnd.oci.image.manifest.v1+json\r\nDocker-Content-Digest: sha256:%s\r\n",
                   hf_sha256_hex(text, strlen(text), hex));
    say(exchange, "200 OK", fields, text, strncmp(seen.head, "HEAD", 4) == 0 ? 0 : strlen(text), strlen(text));
}

static bool is_let_in(struct hf_streamed_exchange *exchange, const char *head)
{
    char token[64], challenge[300];

    if (strstr(head, "GET /token?") == head) {
        char answer[100];
        seen.tokens++;
        ck_assert_ptr_nonnull(strstr(head, "service=s"));
        ck_assert_ptr_nonnull(strstr(head, "scope=repository%3Ateam%2Fapp%3Apull"));
        (void)snprintf(answer, sizeof(answer), "{\"token\":\"t%u\",\"expires_in\":300}", seen.tokens);
        if (seen.mood == ENDLESS_TOKEN)
            say_on(exchange, "200 OK", SIZE_MAX);
        else if (seen.mood == BAD_TOKEN || (seen.mood == EXPIRES_DENIED && seen.cuts > 0))
            say(exchange, "403 Forbidden", "", "", 0, 0);
        else
            say(exchange, "200 OK", "", answer, strlen(answer), strlen(answer));
        return false;
    }
    /* the second one counts after the cut */
    (void)snprintf(token, sizeof(token), "Authorization: Bearer t%d",
                   (seen.mood == EXPIRES || seen.mood == EXPIRES_DENIED) && seen.cuts > 0 ? 2 : 1);
    if (strstr(head, token) != NULL)
        return true;
    (void)snprintf(challenge, sizeof(challenge),
                   "WWW-Authenticate: Bearer realm=\"http://%s/token\",service=\"s\",scope=\"any\"\r\n", host);
    say(exchange, "401 Unauthorized", challenge, "", 0, 0);
    return false;
}

static void asked(void *arg, struct hf_streamed_exchange *exchange, struct hf_view head_view)
{
    (void)arg;
    seen.asked++;
    hf_streamed_attend(exchange, exchange);
    (void)snprintf(seen.head, sizeof(seen.head), "%.*s", (int)head_view.n, head_view.p);
    bool guarded = seen.mood == TOKEN || seen.mood == BAD_TOKEN || seen.mood == EXPIRES ||
                   seen.mood == EXPIRES_DENIED || seen.mood == ENDLESS_TOKEN;
    if (guarded && !is_let_in(exchange, seen.head))
        return;
    if (seen.mood == ENDLESS_401 || seen.mood == ENDLESS_500) {
        say_on(exchange, seen.mood == ENDLESS_401 ? "401 Unauthorized" : "500 Internal Server Error", SIZE_MAX);
        return;
    }
    if (seen.mood == SILENT)
        return;
    if (seen.mood == BASIC && strstr(seen.head, "Authorization: Bearer ") != NULL)
        say(exchange, "401 Unauthorized", "", "", 0, 0);
    else if (seen.mood == BUSY)
        say(exchange, "429 Too Many Requests", "Retry-After: 7\r\n", "", 0, 0);
    else if (seen.mood == FAILS)
        say(exchange, "500 Internal Server Error", "", "", 0, 0);
    else if (seen.mood == DENIES)
        say(exchange, "401 Unauthorized", "", "", 0, 0);
    else if (seen.mood == NO_BLOB)
        say(exchange, "404 Not Found", "", "", 0, 0);
    else if (strstr(seen.head, "/blobs/") != NULL)
        say_blob(exchange, seen.head);
    else
        say_manifest(exchange);
}

static void nothing(void *owner)
{
    (void)owner;
}

/* ---- the scene --------------------------------------------------------------------------------------------------- */

static void settle(const char *listed)
{
    const char *registries[] = {"images.example", listed, NULL}, *stores[] = {folder, NULL};
    const struct hf_mirror_settings settings = {.registries = registries,
                                                .secret = "s3cret",
                                                .stores = stores,
                                                .folder = folder,
                                                .stale_ok_ns = 3600 * HF_NS_PER_S};
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(hf_mirror_settle(mirror, &settings, &err) == 0, "%s", err.cause);
}

static void set_up(void)
{
    const struct hf_streamed_params params = {
        .address = "127.0.0.1", .asked = asked, .drained = drained, .gone = nothing};
    char hex[HF_SHA256_HEX];

    memset(&seen, 0, sizeof(seen));
    for (size_t i = 0; i < SIZE; i++)
        blob[i] = (char)(i * 31 >> 3);
    (void)snprintf(digest, sizeof(digest), "sha256:%s", hf_sha256_hex(blob, SIZE, hex));
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(tags_path, sizeof(tags_path), "%s/tags", folder);
    loop = hf_loop_new(NULL);
    metrics = hf_metrics_new();
    ck_assert_int_eq(hf_streamed_new(loop, &params, &registry, NULL), 0);
    (void)snprintf(host, sizeof(host), "127.0.0.1:%u", hf_streamed_port(registry));
    (void)snprintf(blob_path, sizeof(blob_path), "/v2/team/app/blobs/%s?ns=%s", digest, host);
    client = hf_http_client_new(loop, &(const struct hf_http_config){.user_agent = "test"}, NULL);
    mirror = hf_mirror_new(&(const struct hf_mirror_params){.loop = loop,
                                                            .metrics = metrics,
                                                            .upstream = {.sched = hf_loop_sched(loop),
                                                                         .fs = hf_fs_posix(),
                                                                         .http = hf_http_client_ops(client),
                                                                         .clock = hf_clock_posix()}});
    ck_assert_uint_eq(hf_mirror_port(mirror), 0);
    settle(host);
    ck_assert_uint_ne(hf_mirror_port(mirror), 0);
}

static void tear_down(void)
{
    char path[400], hex[HF_SHA256_HEX];

    hf_mirror_free(mirror);
    hf_streamed_free(registry);
    hf_http_client_free(client);
    hf_loop_free(loop);
    hf_metrics_free(metrics);
    (void)snprintf(path, sizeof(path), "%s/blobs/sha256/%s", folder, digest + 7);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/blobs/sha256/%s", folder, hf_sha256_hex(manifest, strlen(manifest), hex));
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/blobs/sha256", folder);
    (void)rmdir(path);
    (void)snprintf(path, sizeof(path), "%s/blobs", folder);
    (void)rmdir(path);
    (void)unlink(tags_path);
    ck_assert_int_eq(rmdir(folder), 0);
}

#define SECRET "Authorization: Basic aG9sZGZhc3Q6czNjcmV0\r\n" /* holdfast:s3cret */

static struct raw_answer get(const char *method, const char *path, const char *more)
{
    char headers[512];

    (void)snprintf(headers, sizeof(headers), SECRET "%s", more);
    return raw_http_ask(loop, hf_mirror_port(mirror), method, path, headers);
}

static void check_status(const char *method, const char *path, const char *headers, int want)
{
    struct raw_answer answer = raw_http_ask(loop, hf_mirror_port(mirror), method, path, headers);

    ck_assert_msg(answer.status == want, "%s %s: %d %s", method, path, answer.status, answer.body);
    raw_answer_done(&answer);
}

static double sent_bytes(void)
{
    double value = 0;

    (void)hf_metrics_read(metrics, "holdfast_mirror_sent_bytes_total", HF_METRICS_SUM, &value);
    return value;
}

static double fetched_bytes(void)
{
    double value = 0;

    (void)hf_metrics_read(metrics, "holdfast_mirror_fetched_bytes_total", HF_METRICS_SUM, &value);
    return value;
}

/* ---- the door ---------------------------------------------------------------------------------------------------- */

START_TEST(no_open_door)
{
    char path[200];

    check_status("GET", "/v2/", "", 200);
    check_status("GET", blob_path, "", 401);
    check_status("HEAD", blob_path, "", 401);
    check_status("GET", blob_path, "Authorization: Basic aG9sZGZhc3Q6czNjcmV1\r\n", 403);
    check_status("GET", blob_path, "Authorization: Bearer s3cret\r\n", 403);
    check_status("GET", blob_path, "Authorization: Basic aG9sZGZhc3Q6czNjcmV0x\r\n", 403);
    check_status("GET", "/v2/team/app/manifests/1?ns=evil.example", SECRET, 404);
    (void)snprintf(path, sizeof(path), "/v2/team/app/manifests/1?ns=%s.evil.example", host);
    check_status("GET", path, SECRET, 404);
    check_status("GET", "/v2/team/app/manifests/1", SECRET, 404);
    check_status("PUT", blob_path, SECRET, 405);
    check_status("GET", "/metrics", "", 401);
    check_status("GET", "/v2/../manifests/1", SECRET, 400);
    ck_assert_uint_eq(seen.asked, 0);
}
END_TEST

START_TEST(off)
{
    ck_assert_int_eq(hf_mirror_settle(mirror, NULL, NULL), 0);
    ck_assert_uint_eq(hf_mirror_port(mirror), 0);
}
END_TEST

static void put_blob(const char *bytes, size_t n, const char *sha256)
{
    char path[400];

    (void)snprintf(path, sizeof(path), "%s/blobs", folder);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/blobs/sha256", folder);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/blobs/sha256/%s", folder, sha256);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, n, file), n);
    ck_assert_int_eq(fclose(file), 0);
}

/* ---- what passes ------------------------------------------------------------------------------------------------- */

START_TEST(manifests)
{
    char path[200], hex[HF_SHA256_HEX], want[120];
    struct raw_answer answer;

    (void)hf_sha256_hex(manifest, strlen(manifest), hex);
    (void)snprintf(path, sizeof(path), "/v2/team/app/manifests/1.2?ns=%s", host);
    answer = get("GET", path, "Accept: a/b\r\nAccept: c/d\r\n");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(answer.body, manifest);
    (void)snprintf(want, sizeof(want), "Docker-Content-Digest: sha256:%s\r\n", hex);
    ck_assert_ptr_nonnull(strstr(answer.head, want));
    ck_assert_ptr_nonnull(strstr(answer.head, "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n"));
    ck_assert_ptr_nonnull(strstr(seen.head, "Accept: a/b, c/d\r\n"));
    ck_assert_ptr_nonnull(strstr(seen.head, "GET /v2/team/app/manifests/1.2 HTTP"));
    ck_assert_msg(strstr(seen.head, "Authorization") == NULL, "the secret of the mirror is not for registries");
    raw_answer_done(&answer);

    answer = get("HEAD", path, "");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_uint_eq(answer.n, 0);
    ck_assert_ptr_nonnull(strstr(answer.head, "Content-Length: 19\r\n"));
    raw_answer_done(&answer);

    (void)snprintf(path, sizeof(path), "/v2/team/app/manifests/sha256:%s?ns=%s", hex, host);
    check_status("GET", path, SECRET, 200);
    (void)snprintf(path, sizeof(path), "/v2/team/app/manifests/%s?ns=%s", digest, host); /* another one */
    check_status("GET", path, SECRET, 502);
    (void)snprintf(path, sizeof(path), "/v2/team/app/referrers/%s?ns=%s&artifactType=application/x", digest, host);
    check_status("GET", path, SECRET, 200);
    ck_assert_ptr_nonnull(strstr(seen.head, "?artifactType=application/x HTTP"));
}
END_TEST

/* From the registry, then from the node. One byte more is refused, not cut. */
START_TEST(manifest_at_the_bound)
{
    enum { MOST = 4 << 20 };
    char path[200], hex[HF_SHA256_HEX];
    struct raw_answer answer;

    large = malloc(MOST + 2);
    ck_assert_ptr_nonnull(large);
    memset(large, ' ', MOST);
    memcpy(large, manifest, strlen(manifest));
    large[MOST] = large[MOST + 1] = '\0';
    (void)hf_sha256_hex(large, MOST, hex);
    (void)snprintf(path, sizeof(path), "/v2/team/app/manifests/1.2?ns=%s", host);
    for (int i = 0; i < 3; i++) {
        answer = get("GET", path, "");
        ck_assert_msg(answer.status == 200, "%d: %d", i, answer.status);
        ck_assert_uint_eq(answer.n, MOST);
        ck_assert_mem_eq(answer.body, large, MOST);
        raw_answer_done(&answer);
        (void)snprintf(path, sizeof(path), "/v2/team/app/manifests/sha256:%s?ns=%s", hex, host);
        if (i == 1)
            put_blob(large, MOST, hex);
    }
    ck_assert_uint_eq(seen.asked, 2);
    large[MOST] = ' ';
    (void)snprintf(path, sizeof(path), "/v2/team/app/manifests/1.3?ns=%s", host);
    check_status("GET", path, SECRET, 502);
    free(hf_steal(large));
    (void)snprintf(path, sizeof(path), "%s/blobs/sha256/%s", folder, hex);
    (void)unlink(path);
}
END_TEST

/* Clients that do not read: from the registry, then from the node. A few manifests at their bound are held, no more. */
START_TEST(manifests_that_nobody_reads)
{
    enum { MOST = 4 << 20, CLIENTS = 10 };
    char path[200], request[512], hex[HF_SHA256_HEX], status[CLIENTS][16];
    struct raw_answer answer;
    int fds[CLIENTS];

    large = malloc(MOST + 1);
    ck_assert_ptr_nonnull(large);
    memset(large, ' ', MOST);
    memcpy(large, manifest, strlen(manifest));
    large[MOST] = '\0';
    (void)hf_sha256_hex(large, MOST, hex);
    (void)snprintf(path, sizeof(path), "/v2/team/app/manifests/1.2?ns=%s", host);
    if (_i == 1) {
        put_blob(large, MOST, hex);
        (void)snprintf(path, sizeof(path), "/v2/team/app/manifests/sha256:%s?ns=%s", hex, host);
    }
    unsigned refused = 0;
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = raw_http_connect(hf_mirror_port(mirror));
        int n = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" SECRET "\r\n", path);
        (void)raw_http_talk(loop, fds[i], request, (size_t)n, " ", 5000, status[i], sizeof("HTTP/1.1 503"));
        ck_assert_msg(strncmp(status[i], "HTTP/1.1 ", 9) == 0, "%d: %s", i, status[i]);
        refused += strcmp(status[i], "HTTP/1.1 503") == 0;
    }
    ck_assert_uint_ge(refused, 2);
    ck_assert_uint_le(refused, CLIENTS - 4);
    answer = get("GET", path, "");
    ck_assert_int_eq(answer.status, 503);
    ck_assert_ptr_nonnull(strstr(answer.head, "Retry-After: 1\r\n"));
    raw_answer_done(&answer);
    check_status("HEAD", path, SECRET, 200);
    for (int i = 0; i < CLIENTS; i++)
        (void)close(fds[i]);
    answer = get("GET", path, "");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_uint_eq(answer.n, MOST);
    raw_answer_done(&answer);
    free(hf_steal(large));
    (void)snprintf(path, sizeof(path), "%s/blobs/sha256/%s", folder, hex);
    (void)unlink(path);
}
END_TEST

START_TEST(blobs)
{
    struct raw_answer answer = get("GET", blob_path, "");

    ck_assert_int_eq(answer.status, 200);
    ck_assert_uint_eq(answer.n, SIZE);
    ck_assert_mem_eq(answer.body, blob, SIZE);
    raw_answer_done(&answer);
    ck_assert_double_eq(sent_bytes(), SIZE);
    ck_assert_double_eq(fetched_bytes(), SIZE);

    answer = get("GET", blob_path, "Range: bytes=1000-1999\r\n");
    ck_assert_int_eq(answer.status, 206);
    ck_assert_uint_eq(answer.n, 1000);
    ck_assert_mem_eq(answer.body, blob + 1000, 1000);
    ck_assert_ptr_nonnull(strstr(answer.head, "Content-Range: bytes 1000-1999/300000\r\n"));
    raw_answer_done(&answer);

    answer = get("GET", blob_path, "Range: bytes=0-\r\n");
    ck_assert_int_eq(answer.status, 206);
    ck_assert_uint_eq(answer.n, SIZE);
    raw_answer_done(&answer);

    seen.mood = LONGER;
    check_status("GET", blob_path, SECRET "Range: bytes=1000-1999\r\n", 502);
    check_status("GET", blob_path, SECRET "Range: bytes=1000-\r\n", 206);
    seen.mood = HONEST;

    answer = get("HEAD", blob_path, "");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_ptr_nonnull(strstr(answer.head, "Content-Length: 300000\r\n"));
    raw_answer_done(&answer);
}
END_TEST

/* ---- a registry that is ill or hostile --------------------------------------------------------------------------- */

/* Never all bytes of a blob that is not right. */
static const struct {
    int mood, status;
    bool whole;
    unsigned asked, tokens; /* asked 0: any */
} moods[] = {
    {HONEST, 200, true, 1, 0},         {WRONG, 200, false, 1, 0},
    {CUT, 200, false, 0, 0},           {CUT_ONCE, 200, true, 2, 0},
    {CUT_OTHER, 200, false, 2, 0},     {NO_LENGTH, 502, false, 1, 0},
    {BUSY, 429, false, 1, 0},          {FAILS, 502, false, 1, 0},
    {DENIES, 403, false, 1, 0},        {TOKEN, 200, true, 3, 1},
    {BAD_TOKEN, 403, false, 2, 1},     {EXPIRES, 200, true, 6, 2},
    {NO_BLOB, 404, false, 1, 0},       {EXPIRES_DENIED, 200, false, 5, 2},
    {CUT_DENIES, 200, false, 2, 0},    {CUT_BUSY, 200, false, 2, 0},
    {CUT_GONE, 200, false, 2, 0},      {CUT_WHOLE, 200, false, 2, 0},
    {CUT_SHIFTS, 200, false, 2, 0},    {MORE, 200, true, 1, 0},
    {ENDLESS, 502, false, 1, 0},       {ENDLESS_401, 502, false, 1, 0},
    {ENDLESS_TOKEN, 502, false, 2, 1}, {ENDLESS_500, 502, false, 1, 0},
};

START_TEST(ill)
{
    struct raw_answer answer;

    seen.mood = moods[_i].mood;
    answer = get("GET", blob_path, "");
    ck_assert_msg(answer.status == moods[_i].status, "mood %d: %d", seen.mood, answer.status);
    if (moods[_i].whole) {
        ck_assert_uint_eq(answer.n, SIZE);
        ck_assert_mem_eq(answer.body, blob, SIZE);
    } else {
        ck_assert_uint_lt(answer.n, SIZE);
    }
    if (seen.mood == BUSY)
        ck_assert_ptr_nonnull(strstr(answer.head, "Retry-After: 7\r\n"));
    ck_assert_msg(moods[_i].asked == 0 || seen.asked == moods[_i].asked, "mood %d asked %u times", seen.mood,
                  seen.asked);
    ck_assert_uint_eq(seen.tokens, moods[_i].tokens);
    raw_answer_done(&answer);

    /* and the next pull works, with the token that is there */
    seen.mood = seen.mood == EXPIRES ? EXPIRES : seen.mood == TOKEN ? TOKEN : HONEST;
    answer = get("GET", blob_path, "");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_uint_eq(answer.n, SIZE);
    ck_assert_uint_eq(seen.tokens, moods[_i].tokens);
    raw_answer_done(&answer);
}
END_TEST

/* The token that is there counts no more: it is forgotten, and the registry is asked again, once. */
START_TEST(no_more_tokens)
{
    const struct {
        int mood, status;
        unsigned asked;
    } steps[] = {{TOKEN, 200, 3},
                 {_i == 0 ? BASIC : DENIES, _i == 0 ? 200 : 403, 5},
                 {_i == 0 ? BASIC : DENIES, _i == 0 ? 200 : 403, 6}};

    for (size_t i = 0; i < HF_LEN(steps); i++) {
        seen.mood = steps[i].mood;
        struct raw_answer answer = get("GET", blob_path, "");
        ck_assert_int_eq(answer.status, steps[i].status);
        ck_assert_uint_eq(seen.asked, steps[i].asked);
        raw_answer_done(&answer);
    }
}
END_TEST

START_TEST(away)
{
    hf_streamed_free(hf_steal(registry));
    check_status("GET", blob_path, SECRET, 502);
}
END_TEST

/* The client goes in the middle; so does the mirror. */
START_TEST(interrupted)
{
    char request[1024], text[70000];
    int fd[3];

    for (int i = 0; i < 3; i++) {
        fd[i] = raw_http_connect(hf_mirror_port(mirror));
        int n = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" SECRET "\r\n", blob_path);
        (void)raw_http_talk(loop, fd[i], request, (size_t)n, "\r\n\r\n", 5000, text, i == 0 ? 300 : sizeof(text));
    }
    (void)close(fd[0]);
    check_status("GET", blob_path, SECRET, 200);
    ck_assert_int_eq(hf_mirror_settle(mirror, NULL, NULL), 0);
    (void)raw_http_talk(loop, fd[1], "", 0, NULL, 200, text, sizeof(text));
    (void)close(fd[1]);
    (void)close(fd[2]);
}
END_TEST

/* ---- what the node has ------------------------------------------------------------------------------------------- */

START_TEST(from_the_node)
{
    struct raw_answer answer;

    put_blob(blob, SIZE, digest + 7);
    answer = get("GET", blob_path, "");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_uint_eq(answer.n, SIZE);
    ck_assert_mem_eq(answer.body, blob, SIZE);
    raw_answer_done(&answer);
    answer = get("GET", blob_path, "Range: bytes=299999-\r\n");
    ck_assert_int_eq(answer.status, 206);
    ck_assert_uint_eq(answer.n, 1);
    raw_answer_done(&answer);
    answer = get("GET", blob_path, "Range: bytes=300000-\r\n");
    ck_assert_int_eq(answer.status, 416);
    raw_answer_done(&answer);
    ck_assert_uint_eq(seen.asked, 0);
    ck_assert_double_eq(fetched_bytes(), 0);

    /* damaged: never whole */
    blob[7] ^= 1;
    put_blob(blob, SIZE, digest + 7);
    blob[7] ^= 1;
    answer = get("GET", blob_path, "");
    ck_assert_uint_lt(answer.n, SIZE);
    raw_answer_done(&answer);
}
END_TEST

static const char tag_path_of[] = "/v2/team/app/manifests/1.2?ns=%s";

static void check_tag(const char *method, bool here)
{
    char path[200], hex[HF_SHA256_HEX];
    uint64_t begin_ns = hf_mono_ns(hf_clock_posix());

    (void)snprintf(path, sizeof(path), tag_path_of, host);
    struct raw_answer answer = get(method, path, "");
    ck_assert_msg(answer.status == (here ? 200 : 502), "mood %d: %d", seen.mood, answer.status);
    if (here) {
        ck_assert_ptr_nonnull(strstr(answer.head, hf_sha256_hex(manifest, strlen(manifest), hex)));
        ck_assert_ptr_nonnull(strstr(answer.head, "Content-Length: 19\r\n"));
        ck_assert_ptr_nonnull(strstr(answer.head, "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n"));
        ck_assert_str_eq(answer.body, strcmp(method, "HEAD") == 0 ? "" : manifest);
        ck_assert_uint_lt(hf_mono_ns(hf_clock_posix()) - begin_ns, 10 * HF_NS_PER_S);
    }
    raw_answer_done(&answer);
}

/* A registry that fails, is silent, or away: what the node has stands in, also after a restart. */
START_TEST(last_digest)
{
    char hex[HF_SHA256_HEX], path[200];

    (void)hf_sha256_hex(manifest, strlen(manifest), hex);
    seen.mood = FAILS;
    check_tag("GET", false);
    seen.mood = HONEST;
    check_tag("HEAD", true);
    check_tag("GET", true);
    seen.mood = FAILS;
    check_tag("GET", false); /* the digest is known, the manifest is not here */
    put_blob(manifest, strlen(manifest), hex);
    check_tag("GET", true);
    check_tag("HEAD", true);
    seen.mood = DENIES; /* a registry that is there decides */
    (void)snprintf(path, sizeof(path), tag_path_of, host);
    check_status("GET", path, SECRET, 403);
    seen.mood = BAD_TOKEN;
    check_status("GET", path, SECRET, 403);
    seen.mood = NO_BLOB;
    check_status("GET", path, SECRET, 404);
    seen.mood = SILENT;
    check_tag("GET", true);

    loop_wait_for(loop, access(tags_path, F_OK) == 0);
    settle(host);
    hf_streamed_free(hf_steal(registry));
    check_tag("HEAD", true);
    /* by digest without asking anybody */
    (void)snprintf(path, sizeof(path), "/v2/team/app/manifests/sha256:%s?ns=%s", hex, host);
    check_status("GET", path, SECRET, 200);
    put_blob("{\"schemaVersion\":3}", strlen(manifest), hex); /* damaged */
    check_tag("GET", false);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, no_open_door);
    tcase_add_test(tc, off);
    tcase_add_test(tc, manifests);
    tcase_add_test(tc, manifest_at_the_bound);
    tcase_add_loop_test(tc, manifests_that_nobody_reads, 0, 2);
    tcase_add_test(tc, blobs);
    tcase_add_loop_test(tc, ill, 0, HF_LEN(moods));
    tcase_add_loop_test(tc, no_more_tokens, 0, 2);
    tcase_add_test(tc, away);
    tcase_add_test(tc, interrupted);
    tcase_add_test(tc, from_the_node);
    tcase_add_test(tc, last_digest);
}

HF_TEST_MAIN("mirror/mirror", cases)
