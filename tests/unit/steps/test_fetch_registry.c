/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads of oci://HOST/REPOSITORY@DIGEST from a registry that does as a script says, with a service for tokens and a
 * store for blobs on another port: what each of them sees of the credential, and what a hostile one costs. */
#include "steps/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/sha256.h"
#include "config/config.h"
#include "loop/http/client.h"
#include "loop/loop.h"
#include "loop/server/streamed.h"
#include "oci/registry/token.h"
#include "os/clock_posix.h"
#include "os/dir.h"
#include "os/fs_posix.h"
#include "support/check_main.h"

enum { SIZE = 200000 };
#define BASIC "Authorization: Basic cHVsbGVyOnNlY3JldA==\r\n" /* puller:secret */

static struct hf_loop *loop;
static struct hf_http_client *client;
static struct hf_streamed *registry, *other;
static struct hf_access *access_;
static struct hf_config *config;
static char blob[SIZE + 1], digest[72], folder[] = "/tmp/hf-fetch-XXXXXX", url[200], target[100], work[100];

enum mood {
    OPEN,
    TOKEN,        /* from the registry's own host */
    FOREIGN,      /* from a service with another name, without TLS */
    STORE,        /* then redirects to the other port */
    STORE_DENIES, /* which asks for a token itself */
    NO_TLS_REALM, /* a realm that nobody may ask */
    DENIED,       /* the service knows nobody */
    NO_TOKEN,     /* and answers with none */
    LONG_TOKEN,   /* and answers for ever */
    USELESS,      /* the token opens nothing */
    BASIC_ONLY,
    ENDLESS, /* more bytes than are signed */
    EXPIRES, /* half; the rest with the next token */
};

static struct {
    enum mood mood;
    unsigned blobs, tokens, stored;
    bool basic_at_service, secret_at_store;
    unsigned long from;
} seen;

/* A buffer of a download that fails, of those from now on; this program is linked with --wrap for it. */
static unsigned starves_at;
void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);

void *__wrap_malloc(size_t n)
{
    bool starved = n == 2 * HF_FETCH_BUFFER && starves_at > 0 && --starves_at == 0;

    return starved ? NULL : __real_malloc(n);
}

static struct {
    bool done;
    int r;
    bool hopeless;
    struct hf_failure failure;
} result;

/* ---- the servers ------------------------------------------------------------------------------------------------- */

static void say(struct hf_streamed_exchange *exchange, const char *status, const char *fields, const char *body,
                size_t n, size_t promised)
{
    char head[1024];

    (void)snprintf(head, sizeof(head), "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n", status,
                   fields, promised);
    ck_assert_int_ge(hf_streamed_send(exchange, head, strlen(head)), 0);
    if (n > 0)
        ck_assert_int_ge(hf_streamed_send(exchange, body, n), 0);
    hf_streamed_end(exchange);
}

static void say_blob(struct hf_streamed_exchange *exchange, const char *head)
{
    const char *range = strstr(head, "Range: bytes=");
    char fields[100] = "";
    size_t n = SIZE;

    seen.from = range != NULL ? strtoul(range + 13, NULL, 10) : 0;
    n -= seen.from;
    if (range != NULL)
        (void)snprintf(fields, sizeof(fields), "Content-Range: bytes %lu-%d/%d\r\n", seen.from, SIZE - 1, SIZE);
    if (seen.mood == ENDLESS)
        say(exchange, "200 OK", "", blob, SIZE + 1, SIZE + 1);
    else
        say(exchange, range != NULL ? "206 Partial Content" : "200 OK", fields, blob + seen.from,
            seen.mood == EXPIRES && seen.blobs == 2 ? n / 2 : n, n);
}

static void say_token(struct hf_streamed_exchange *exchange, const char *head)
{
    static char endless[HF_OCI_TOKEN_ANSWER + 2];
    char answer[100];

    seen.tokens++;
    seen.basic_at_service = strstr(head, BASIC) != NULL;
    ck_assert_ptr_nonnull(strstr(head, "service=s&scope=repository%3Ateam%2Fapp%3Apull "));
    (void)snprintf(answer, sizeof(answer), "{\"token\":\"t%u\"}", seen.tokens);
    memset(endless, ' ', sizeof(endless) - 1);
    if (seen.mood == DENIED)
        say(exchange, "401 Unauthorized", "WWW-Authenticate: Bearer realm=\"http://127.0.0.1/\"\r\n", "", 0, 0);
    else if (seen.mood == NO_TOKEN)
        say(exchange, "200 OK", "", "{\"token\":\"a\\r\\nb\"}", 18, 18);
    else if (seen.mood == LONG_TOKEN)
        say(exchange, "200 OK", "", endless, strlen(endless), strlen(endless));
    else
        say(exchange, "200 OK", "", answer, strlen(answer), strlen(answer));
}

static void challenge(struct hf_streamed_exchange *exchange)
{
    char field[300], realm[100];

    (void)snprintf(realm, sizeof(realm), "http://%s:%u/token", seen.mood == FOREIGN ? "localhost" : "127.0.0.1",
                   hf_streamed_port(other));
    (void)snprintf(field, sizeof(field), "WWW-Authenticate: Bearer realm=\"%s\",service=\"s\",scope=\"any\"\r\n",
                   seen.mood == NO_TLS_REALM ? "file:///etc/hostname" : realm);
    say(exchange, "401 Unauthorized", seen.mood == BASIC_ONLY ? "WWW-Authenticate: Basic realm=\"r\"\r\n" : field, "{}",
        2, 2);
}

static void asked_registry(void *arg, struct hf_streamed_exchange *exchange, struct hf_view text)
{
    static int owner;
    char head[4096], line[64], to[200];

    (void)arg;
    hf_streamed_attend(exchange, &owner);
    (void)snprintf(head, sizeof(head), "%.*s", (int)text.n, text.p);
    (void)snprintf(line, sizeof(line), "GET /v2/team/app/blobs/sha256:");
    ck_assert(strncmp(head, line, strlen(line)) == 0);
    seen.blobs++;
    (void)snprintf(line, sizeof(line), "Authorization: Bearer t%u\r\n", seen.tokens);
    bool is_let_in = seen.mood == OPEN || seen.mood == ENDLESS ||
                     (seen.mood != USELESS && seen.tokens > 0 && strstr(head, line) != NULL);
    if (seen.tokens > 0 && !is_let_in && seen.mood != USELESS) /* the next call: it begins with the credential again */
        ck_assert_ptr_nonnull(strstr(head, BASIC));
    if (!is_let_in) {
        challenge(exchange);
    } else if (seen.mood == STORE || seen.mood == STORE_DENIES) {
        (void)snprintf(to, sizeof(to), "Location: http://127.0.0.1:%u/store\r\n", hf_streamed_port(other));
        say(exchange, "307 Temporary Redirect", to, "", 0, 0);
    } else {
        say_blob(exchange, head);
    }
}

static void asked_other(void *arg, struct hf_streamed_exchange *exchange, struct hf_view text)
{
    static int owner;
    char head[4096];

    (void)arg;
    hf_streamed_attend(exchange, &owner);
    (void)snprintf(head, sizeof(head), "%.*s", (int)text.n, text.p);
    if (strncmp(head, "GET /token?", 11) == 0) {
        say_token(exchange, head);
        return;
    }
    seen.stored++;
    seen.secret_at_store = strstr(head, "Authorization:") != NULL;
    if (seen.mood == STORE_DENIES)
        challenge(exchange);
    else
        say_blob(exchange, head);
}

static void nothing(void *owner)
{
    (void)owner;
}

/* ---- the scene --------------------------------------------------------------------------------------------------- */

static int set_peers(void *arg, const struct hf_http_peer *peers, size_t n, struct hf_err *err)
{
    (void)arg;
    (void)peers;
    (void)n;
    (void)err;
    return 0;
}

static void set_up(void)
{
    struct hf_streamed_params params = {
        .address = "127.0.0.1", .asked = asked_registry, .drained = nothing, .gone = nothing};
    char hex[HF_SHA256_HEX], text[400], path[100];

    memset(&seen, 0, sizeof(seen));
    for (size_t i = 0; i < SIZE; i++)
        blob[i] = (char)(i * 31 >> 3);
    (void)snprintf(digest, sizeof(digest), "sha256:%s", hf_sha256_hex(blob, SIZE, hex));
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(target, sizeof(target), "%s/app", folder);
    (void)snprintf(work, sizeof(work), "%s/work", folder);
    ck_assert_int_eq(mkdir(work, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/password", folder);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    (void)fputs("secret\n", file);
    ck_assert_int_eq(fclose(file), 0);
    loop = hf_loop_new(NULL);
    ck_assert_int_eq(hf_streamed_new(loop, &params, &registry, NULL), 0);
    params.asked = asked_other;
    ck_assert_int_eq(hf_streamed_new(loop, &params, &other, NULL), 0);
    (void)snprintf(url, sizeof(url), "oci://127.0.0.1:%u/team/app@%s", hf_streamed_port(registry), digest);
    client = hf_http_client_new(loop, &(const struct hf_http_config){.user_agent = "test"}, NULL);
    access_ =
        hf_access_new(&(const struct hf_access_params){.clock = hf_clock_posix(), .set_peers = set_peers, .arg = NULL});
    (void)snprintf(text, sizeof(text),
                   "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nartifacts:\n- url: "
                   "http://127.0.0.1:%u\n  user: puller\n  passwordFile: %s\n  allowPlainHttp: true\n",
                   hf_streamed_port(registry), path);
    ck_assert_int_eq(hf_config_parse(hf_view_of(text), "agent.yaml", &config, NULL), 0);
    ck_assert_msg(hf_config_n_faults(config) == 0, "%s", hf_config_fault(config, 0));
    hf_access_configure(access_, config);
}

static void tear_down(void)
{
    hf_streamed_free(registry);
    hf_streamed_free(other);
    hf_http_client_free(client);
    hf_access_free(access_);
    hf_config_free(config);
    hf_loop_free(loop);
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), folder, NULL), 0);
}

static void fetched(void *arg, int r, const struct hf_failure *failure, uint64_t retry_after_ns, bool hopeless)
{
    (void)arg;
    (void)retry_after_ns;
    result.done = true;
    result.r = r;
    result.hopeless = hopeless;
    result.failure = *failure;
    hf_loop_stop(loop);
}

static void fetch(enum mood mood)
{
    const char *roots[] = {folder, NULL};
    struct hf_fetch *running;

    seen.mood = mood;
    result.done = false;
    ck_assert_int_eq(
        hf_fetch_start(
            &(const struct hf_fetch_params){
                .clock = hf_clock_posix(),
                .sched = hf_loop_sched(loop),
                .http = hf_http_client_ops(client),
                .target = {.fs = hf_fs_posix(), .roots = roots, .path = target, .release = "app", .uid = geteuid()},
                .folder = work,
                .url = url,
                .access = access_,
                .key = digest,
                .exact = true,
                .size = SIZE,
                .new_size = SIZE,
                .done = fetched},
            &running, NULL),
        0);
    hf_loop_run(loop);
    ck_assert(result.done);
}

static void check_content(void)
{
    static char got[SIZE + 1];
    char path[200];

    ck_assert_msg(result.r == 0, "%s: %s", hf_reason_name(result.failure.reason), result.failure.err.cause);
    (void)snprintf(path, sizeof(path), "%s/.holdfast-app.part", folder);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(got, 1, sizeof(got), file), SIZE);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_mem_eq(got, blob, SIZE);
}

/* ---- what works -------------------------------------------------------------------------------------------------- */

static const struct {
    enum mood mood;
    unsigned blobs, tokens, stored;
    bool basic_at_service;
} good[] = {{OPEN, 1, 0, 0, false}, {TOKEN, 2, 1, 0, true}, {FOREIGN, 2, 1, 0, false}, {STORE, 2, 1, 1, true}};

START_TEST(comes_from_a_registry)
{
    fetch(good[_i].mood);
    check_content();
    ck_assert_uint_eq(seen.blobs, good[_i].blobs);
    ck_assert_uint_eq(seen.tokens, good[_i].tokens);
    ck_assert_uint_eq(seen.stored, good[_i].stored);
    ck_assert(seen.basic_at_service == good[_i].basic_at_service && !seen.secret_at_store);
}
END_TEST

/* The link breaks, and the token has expired: the rest comes with another one. */
START_TEST(goes_on_with_another_token)
{
    fetch(EXPIRES);
    ck_assert_int_lt(result.r, 0);
    ck_assert(!result.hopeless);
    fetch(EXPIRES);
    check_content();
    ck_assert_uint_eq(seen.from, SIZE / 2);
    ck_assert_uint_eq(seen.tokens, 2);
}
END_TEST

/* ---- what does not ----------------------------------------------------------------------------------------------- */

static const struct {
    enum mood mood;
    int r;
    enum hf_reason reason;
    unsigned blobs, tokens, stored;
} bad[] = {
    {STORE_DENIES, -EAGAIN, HF_R_DownloadRefused, 8, 4, 4}, {NO_TLS_REALM, -EPROTO, HF_R_DownloadRefused, 1, 0, 0},
    {DENIED, -EACCES, HF_R_DownloadRefused, 1, 1, 0},       {NO_TOKEN, -EBADMSG, HF_R_DownloadFailed, 1, 1, 0},
    {LONG_TOKEN, -E2BIG, HF_R_DownloadFailed, 1, 1, 0},     {USELESS, -EAGAIN, HF_R_DownloadRefused, 2, 1, 0},
    {BASIC_ONLY, -EAGAIN, HF_R_DownloadRefused, 1, 0, 0},   {ENDLESS, -EFBIG, HF_R_ArtifactTooLong, 1, 0, 0},
};

START_TEST(fails)
{
    fetch(bad[_i].mood);
    ck_assert_msg(result.r == bad[_i].r, "%d: %s", result.r, result.failure.err.cause);
    ck_assert_str_eq(hf_reason_name(result.failure.reason), hf_reason_name(bad[_i].reason));
    ck_assert(!result.hopeless && !seen.secret_at_store);
    ck_assert_ptr_null(strstr(result.failure.err.cause, "secret"));
    ck_assert_uint_eq(seen.blobs, bad[_i].blobs);
    ck_assert_uint_eq(seen.tokens, bad[_i].tokens);
    ck_assert_uint_eq(seen.stored, bad[_i].stored);
    seen.tokens = seen.blobs = 0;
    fetch(TOKEN); /* and nothing stands in the way of the next one */
    check_content();
}
END_TEST

/* No memory for the first or the second buffer: the next attempt goes on with the bytes that are there. */
START_TEST(memory_runs_out)
{
    starves_at = (unsigned)_i;
    fetch(OPEN);
    if (result.r != 0) { /* all bytes may fit the first buffer */
        ck_assert_int_eq(result.r, -ENOMEM);
        ck_assert_str_eq(hf_reason_name(result.failure.reason), "RetryingLater");
        ck_assert_str_eq(result.failure.err.cause, "not enough memory for a download");
        ck_assert(!result.hopeless);
        fetch(OPEN);
        ck_assert(_i == 1 || seen.from > 0);
    }
    ck_assert(_i != 1 || seen.blobs == 2);
    check_content();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, comes_from_a_registry, 0, (int)HF_LEN(good));
    tcase_add_test(tc, goes_on_with_another_token);
    tcase_add_loop_test(tc, fails, 0, (int)HF_LEN(bad));
    tcase_add_loop_test(tc, memory_runs_out, 1, 3);
}

HF_TEST_MAIN("steps/fetch_registry", cases)
