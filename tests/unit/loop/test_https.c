/* SPDX-License-Identifier: Apache-2.0 */
#include "http_fixture.h"

#include <signal.h>
#include <sys/stat.h>

#include "loop/http/client.h"
#include "os/clock_posix.h"
#include "support/makers/certs.h"

#define MS HF_NS_PER_MS
#define DAY_S (24l * 3600)

static char folder[64];
static char cert_path[96], key_path[96], ca_path[96];
static struct hf_test_cert ca, leaf;

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void set_up(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/hf-https-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", folder);
    (void)snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
    (void)snprintf(ca_path, sizeof(ca_path), "%s/ca.pem", folder);
    hf_test_cert_make(
        &(struct hf_test_cert_spec){.name = "Test CA", .from_s = -DAY_S, .until_s = 10 * DAY_S, .authority = true},
        &ca);
    loop = hf_loop_new(NULL);
}

static void tear_down(void)
{
    hf_http_client_free(client);
    hf_loop_free(loop);
    hf_test_server_stop(&server);
    hf_test_cert_done(&ca);
    hf_test_cert_done(&leaf);
    (void)unlink(cert_path);
    (void)unlink(key_path);
    (void)unlink(ca_path);
    (void)rmdir(folder);
}

static void serve(const struct hf_test_cert_spec *spec, const char *const *more)
{
    const char *args[12] = {"--tls", cert_path, key_path};

    hf_test_cert_make(spec, &leaf);
    write_file(cert_path, leaf.cert_pem);
    write_file(key_path, leaf.key_pem);
    for (size_t i = 0; more != NULL && more[i] != NULL; i++)
        args[i + 3] = more[i];
    hf_test_server_start(&server, args);
}

static const struct hf_test_cert_spec good = {
    .name = "localhost", .ip = "127.0.0.1", .from_s = -DAY_S, .until_s = DAY_S, .issuer = &ca};

static const char *https_url(const char *path)
{
    static char url[128];

    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u%s", server.port, path);
    return url;
}

static struct hf_http_config trusting(void)
{
    return (struct hf_http_config){.user_agent = "holdfast-test/1", .ca_pem = ca.cert_pem};
}

#define RUN(o, path, ...)                                                                                              \
    _cleanup_(outcome_done) struct outcome o = {.done = 0};                                                            \
    ask(&o, (struct hf_http_request){.url = https_url(path), __VA_ARGS__}, NULL)

/* ---- who is trusted --------------------------------------------------------------------------------------------------- */

START_TEST(trusted)
{
    struct hf_http_config config = trusting();

    serve(&good, NULL);
    use(&config);
    RUN(o, "/hello");
    ck_outcome(o, 0, 200);
    ck_assert_str_eq(o.body, "hello\n");
}
END_TEST

static const struct {
    const char *name;
    struct hf_test_cert_spec spec;
    uint64_t max_skew_s;
    bool other_ca;
    int want_r;
    const char *want_text;
} verdicts[] = {
    {"self-signed",
     {.name = "localhost", .ip = "127.0.0.1", .from_s = -60, .until_s = 60},
     0,
     false,
     -EKEYREJECTED,
     "self-signed"},
    {"other authority",
     {.name = "localhost", .ip = "127.0.0.1", .from_s = -60, .until_s = 60, .issuer = &ca},
     0,
     true,
     -EKEYREJECTED,
     "localhost"},
    {"wrong name",
     {.name = "elsewhere", .ip = "127.0.0.2", .from_s = -60, .until_s = 60, .issuer = &ca},
     0,
     false,
     -EKEYREJECTED,
     "127.0.0.1"},
    {"wrong name is no matter of time",
     {.name = "elsewhere", .from_s = -60, .until_s = 60, .issuer = &ca},
     86400,
     false,
     -EKEYREJECTED,
     ""},
    {"expired",
     {.name = "localhost", .ip = "127.0.0.1", .from_s = -7200, .until_s = -30, .issuer = &ca},
     0,
     false,
     -EKEYREJECTED,
     "expired"},
    {"expired within the allowance",
     {.name = "localhost", .ip = "127.0.0.1", .from_s = -7200, .until_s = -200, .issuer = &ca},
     300,
     false,
     0,
     ""},
    {"expired beyond the allowance",
     {.name = "localhost", .ip = "127.0.0.1", .from_s = -7200, .until_s = -400, .issuer = &ca},
     300,
     false,
     -EKEYREJECTED,
     "tolerance 5m"},
    {"not yet valid",
     {.name = "localhost", .ip = "127.0.0.1", .from_s = 60, .until_s = 7200, .issuer = &ca},
     0,
     false,
     -EKEYREJECTED,
     "not valid before"},
    {"not yet valid, within",
     {.name = "localhost", .ip = "127.0.0.1", .from_s = 200, .until_s = 7200, .issuer = &ca},
     300,
     false,
     0,
     ""},
    {"not yet valid, beyond",
     {.name = "localhost", .ip = "127.0.0.1", .from_s = 400, .until_s = 7200, .issuer = &ca},
     300,
     false,
     -EKEYREJECTED,
     "not valid before"},
    {"expired within, but self-signed",
     {.name = "localhost", .ip = "127.0.0.1", .from_s = -7200, .until_s = -200},
     300,
     false,
     -EKEYREJECTED,
     ""},
    {"expired within, but of another",
     {.name = "localhost", .ip = "127.0.0.1", .from_s = -7200, .until_s = -200, .issuer = &ca},
     300,
     true,
     -EKEYREJECTED,
     ""},
};

START_TEST(verdict)
{
    struct hf_http_config config = trusting();
    struct hf_test_cert other = {NULL, NULL};

    serve(&verdicts[_i].spec, NULL);
    if (verdicts[_i].other_ca) {
        hf_test_cert_make(
            &(struct hf_test_cert_spec){.name = "Other CA", .from_s = -60, .until_s = 60, .authority = true}, &other);
        config.ca_pem = other.cert_pem;
    }
    config.max_skew_ns = verdicts[_i].max_skew_s * HF_NS_PER_S;
    use(&config);
    RUN(o, "/hello");
    ck_assert_msg(o.r == verdicts[_i].want_r && strstr(o.error, verdicts[_i].want_text) != NULL, "%s: r %d, %s",
                  verdicts[_i].name, o.r, o.error);
    hf_test_cert_done(&other);
}
END_TEST

/* The authority itself may be the one that has just expired. */
START_TEST(authority_within_the_allowance)
{
    struct hf_http_config config = trusting();

    hf_test_cert_done(&ca);
    hf_test_cert_make(
        &(struct hf_test_cert_spec){.name = "Test CA", .from_s = -DAY_S, .until_s = -100, .authority = true}, &ca);
    config.ca_pem = ca.cert_pem;
    serve(&good, NULL);
    use(&config);
    RUN(strict, "/hello");
    ck_assert_int_eq(strict.r, -EKEYREJECTED);
    config.max_skew_ns = 300 * HF_NS_PER_S;
    use(&config);
    RUN(lenient, "/hello");
    ck_outcome(lenient, 0, 200);
}
END_TEST

static uint64_t last_year(void *ctx)
{
    (void)ctx;
    return hf_unix_ns(hf_clock_posix()) - 365ull * 86400 * HF_NS_PER_S;
}

/* Certificates are judged by the clock that is given, not by the system's. */
START_TEST(given_clock)
{
    struct hf_http_config config = trusting();
    struct hf_clock_ops clock = *hf_clock_posix();

    clock.unix_ns = last_year;
    config.clock = &clock;
    serve(&good, NULL);
    use(&config);
    RUN(o, "/hello");
    ck_assert_msg(o.r == -EKEYREJECTED && strstr(o.error, "not valid before") != NULL, "%d %s", o.r, o.error);
}
END_TEST

static struct hf_time_range credible;

static void credible_range(void *ctx, struct hf_time_range *ret_range)
{
    (void)ctx;
    *ret_range = credible;
}

/* Days from now. The certificate is valid for a day before and after now. `until` 9999: no end. */
static const struct {
    const char *name;
    enum hf_time_agreement agreement;
    int earliest, latest, estimate;
    bool accepted;
} ranges[] = {
    {"no battery, an old build", HF_TIME_UNKNOWN, -100, 9999, -100, true},
    {"no battery, a build after the certificate", HF_TIME_UNKNOWN, 2, 9999, 2, false},
    {"a wall clock that is weeks behind", HF_TIME_ALONE, -100, -50, -50, true},
    {"a wall clock that is years ahead", HF_TIME_ALONE, -100, 1000, 1000, true},
    {"a server that lied", HF_TIME_CONTRADICTED, 0, 10950, 10950, true},
    {"all evidence is later", HF_TIME_CONTRADICTED, 2, 10950, 2, false},
    {"agreed, later", HF_TIME_AGREED, 2, 2, 2, false},
    {"agreed, earlier", HF_TIME_AGREED, -2, -2, -2, false},
    {"agreed, now", HF_TIME_AGREED, 0, 0, 0, true},
};

START_TEST(range_of_the_clock)
{
    struct hf_http_config config = trusting();
    struct hf_clock_ops clock = *hf_clock_posix();
    uint64_t now = hf_unix_ns(&clock), day = (uint64_t)DAY_S * HF_NS_PER_S;

    credible = (struct hf_time_range){
        .agreement = ranges[_i].agreement,
        .earliest_unix_ns = now + (uint64_t)(int64_t)ranges[_i].earliest * day,
        .latest_unix_ns = ranges[_i].latest == 9999 ? HF_NEVER : now + (uint64_t)(int64_t)ranges[_i].latest * day,
        .estimate_unix_ns = now + (uint64_t)(int64_t)ranges[_i].estimate * day,
    };
    clock.range = credible_range;
    config.clock = &clock;
    serve(&good, NULL);
    use(&config);
    RUN(o, "/hello");
    ck_assert_msg((o.r == 0) == ranges[_i].accepted, "%s: %d %s", ranges[_i].name, o.r, o.error);
    if (o.r != 0)
        ck_assert_int_eq(o.r, -EKEYREJECTED);
}
END_TEST

START_TEST(insecure)
{
    struct hf_http_config config = {.insecure_skip_verify = true};

    serve(&(struct hf_test_cert_spec){.name = "x", .from_s = -60, .until_s = -30}, NULL);
    use(&config);
    RUN(o, "/hello");
    ck_outcome(o, 0, 200);
}
END_TEST

/* kubeconfig's tls-server-name: another name is checked than the URL's host; the server still sees the URL's. */
START_TEST(server_name)
{
    struct hf_http_config config = trusting();
    char origin[64];

    serve(&(struct hf_test_cert_spec){.name = "kubernetes", .from_s = -60, .until_s = 60, .issuer = &ca}, NULL);
    (void)snprintf(origin, sizeof(origin), "https://127.0.0.1:%u", server.port);
    use(&config);
    RUN(wrong, "/echo");
    ck_assert_int_eq(wrong.r, -EKEYREJECTED);
    config.tls_server_name = "kubernetes";
    config.origin = origin;
    use(&config);
    RUN(o, "/echo");
    ck_outcome(o, 0, 200);
    ck_assert_msg(strstr(o.body, "\"host\": \"127.0.0.1:") != NULL, "%s", o.body);
}
END_TEST

/* Without authorities of our own, the system's count. */
START_TEST(system_store)
{
    struct hf_http_config config = {.user_agent = "x"};

    serve(&good, NULL);
    use(&config);
    RUN(unknown, "/hello");
    ck_assert_int_eq(unknown.r, -EKEYREJECTED);
    write_file(ca_path, ca.cert_pem);
    (void)setenv("SSL_CERT_FILE", ca_path, 1);
    use(&config);
    RUN(known, "/hello");
    ck_outcome(known, 0, 200);
}
END_TEST

static const struct {
    const char *name;
    struct hf_http_config config;
    const char *want;
} unreadable[] = {
    {"authority is no PEM", {.ca_pem = "hello"}, "authority certificate 1"},
    {"authority is empty", {.ca_pem = ""}, "authority certificate 1"},
    {"authority is damaged", {.ca_pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"}, "authority"},
    {"certificate without key", {.client_cert_pem = "x"}, "set together"},
    {"certificate is no PEM", {.client_cert_pem = "x", .client_key_pem = "y"}, "client certificate"},
    {"origin is none", {.origin = "kubernetes"}, "not a URL"},
    {"token with a line break", {.bearer_token = "a\nb"}, "line break"},
};

START_TEST(bad_configuration)
{
    struct hf_err err = HF_ERR_INIT;

    ck_assert_ptr_null(hf_http_client_new(loop, &unreadable[_i].config, &err));
    ck_assert_msg(strstr(err.cause, unreadable[_i].want) != NULL, "%s: %s", unreadable[_i].name, err.cause);
}
END_TEST

START_TEST(key_of_another)
{
    struct hf_test_cert a, b;
    struct hf_err err = HF_ERR_INIT;

    hf_test_cert_make(&good, &a);
    hf_test_cert_make(&good, &b);
    struct hf_http_config config = {.ca_pem = ca.cert_pem, .client_cert_pem = a.cert_pem, .client_key_pem = b.key_pem};
    ck_assert_ptr_null(hf_http_client_new(loop, &config, &err));
    ck_assert_int_eq(err.code, EBADMSG);
    config.client_key_pem = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    ck_assert_ptr_null(hf_http_client_new(loop, &config, &err));
    ck_assert_msg(strstr(err.cause, "client key: it is encrypted") != NULL, "%s", err.cause);
    ck_assert_msg(strstr(err.cause, "openssl pkey -in KEY -out PLAIN") != NULL, "%s", err.cause);
    hf_test_cert_done(&a);
    hf_test_cert_done(&b);
}
END_TEST

/* ---- what we show ------------------------------------------------------------------------------------------------------ */

/* With TLS 1.3 the server refuses after the handshake: its alert is read, or lost to the reset that follows. */
static bool is_refusal(const struct outcome *o)
{
    return (o->r == -EKEYREJECTED || o->r == -EPIPE) && strstr(o->error, "certificate") != NULL;
}

START_TEST(client_certificate)
{
    struct hf_http_config config = trusting();
    struct hf_test_cert ours;
    char origin[64];

    write_file(ca_path, ca.cert_pem);
    serve(&good, (const char *const[]){"--client-ca", ca_path, NULL});
    (void)snprintf(origin, sizeof(origin), "https://127.0.0.1:%u", server.port);
    hf_test_cert_make(&(struct hf_test_cert_spec){.name = "node-7", .from_s = -60, .until_s = 60, .issuer = &ca},
                      &ours);
    use(&config);
    RUN(without, "/hello");
    ck_assert_msg(is_refusal(&without), "%d %s", without.r, without.error);
    config.client_cert_pem = ours.cert_pem;
    config.client_key_pem = ours.key_pem;
    config.origin = "https://127.0.0.1:1";
    use(&config);
    RUN(elsewhere, "/hello"); /* only its origin sees the certificate */
    ck_assert_msg(is_refusal(&elsewhere), "%d %s", elsewhere.r, elsewhere.error);
    config.origin = origin;
    use(&config);
    RUN(o, "/hello");
    ck_outcome(o, 0, 200);

    /* A rotated certificate is shown on a new connection; the same configuration again keeps the old one. */
    ck_assert_int_eq(hf_http_client_update(client, &config, NULL), 0);
    RUN(same, "/stats");
    ck_assert_msg(strstr(same.body, "\"open\": 1}") != NULL, "%s", same.body);
    struct hf_test_cert rotated;
    hf_test_cert_make(&(struct hf_test_cert_spec){.name = "node-7", .from_s = -60, .until_s = 60, .issuer = &ca},
                      &rotated);
    config.client_cert_pem = rotated.cert_pem;
    config.client_key_pem = rotated.key_pem;
    int before = 0, after = 0;
    ck_assert_int_eq(sscanf(same.body, "{\"connections\": %d", &before), 1);
    ck_assert_int_eq(hf_http_client_update(client, &config, NULL), 0);
    RUN(fresh, "/stats");
    ck_assert_int_eq(sscanf(fresh.body, "{\"connections\": %d", &after), 1);
    ck_assert_int_eq(after, before + 1);
    hf_test_cert_done(&ours);
    hf_test_cert_done(&rotated);
}
END_TEST

/* ---- redirects over schemes -------------------------------------------------------------------------------------------- */

START_TEST(never_down_to_http)
{
    struct hf_http_config config = trusting();

    serve(&good, NULL);
    use(&config);
    RUN(o, "/redirect?to=http://127.0.0.1:1/hello", .follow_redirects = true);
    ck_outcome(o, -EPROTO, 302);
    ck_assert_msg(strstr(o.error, "from https to http") != NULL, "%s", o.error);
}
END_TEST

START_TEST(up_to_https)
{
    struct hf_http_config config = trusting();
    struct hf_test_server plain;
    char url[256];

    serve(&good, NULL);
    hf_test_server_start(&plain, NULL);
    use(&config);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/redirect?to=%s", plain.port, https_url("/hello"));
    _cleanup_(outcome_done) struct outcome o = {.done = 0};
    ask(&o, (struct hf_http_request){.url = url, .follow_redirects = true}, NULL);
    ck_outcome(o, 0, 200);
    hf_test_server_stop(&plain);
}
END_TEST

/* ---- origins with a TLS of their own ----------------------------------------------------------------------------- */

START_TEST(peers)
{
    struct hf_http_config config = {.user_agent = "holdfast-test/1"};
    struct hf_http_peer rows[] = {{.origin = "https://other.example:443", .problem = "never"},
                                  {.origin = NULL, .ca_pem = ca.cert_pem}};
    struct hf_test_server plain;
    char origin[64], url[256];

    serve(&good, NULL);
    (void)snprintf(origin, sizeof(origin), "https://127.0.0.1:%u", server.port);
    rows[1].origin = origin;
    config.peers = rows;
    config.n_peers = 2;
    use(&config);
    RUN(o, "/hello", .credential = "X-Key: sesam");
    ck_outcome(o, 0, 200);

    /* also where a redirect leads to it; the credential stays with the first server */
    hf_test_server_start(&plain, NULL);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/redirect?to=%s", plain.port, https_url("/echo"));
    _cleanup_(outcome_done) struct outcome led = {.done = 0};
    ask(&led, (struct hf_http_request){.url = url, .follow_redirects = true, .credential = "X-Key: sesam"}, NULL);
    ck_outcome(led, 0, 200);
    ck_assert(led.response.redirected && strstr(led.body, "sesam") == NULL);
    _cleanup_(outcome_done) struct outcome own = {.done = 0};
    ask(&own, (struct hf_http_request){.url = url_of(&plain, "/echo"), .credential = "X-Key: sesam"}, NULL);
    ck_outcome(own, 0, 200);
    ck_assert(!own.response.redirected && strstr(own.body, "sesam") != NULL);
    hf_test_server_stop(&plain);

    /* each origin is judged by its own authorities, also behind another one on the same client */
    struct hf_test_cert authority, other_leaf;
    struct hf_test_server other;
    struct hf_test_cert_spec spec = good;
    char other_origin[64], other_url[256];
    hf_test_cert_make(
        &(struct hf_test_cert_spec){.name = "Other CA", .from_s = -60, .until_s = DAY_S, .authority = true},
        &authority);
    spec.issuer = &authority;
    hf_test_cert_make(&spec, &other_leaf);
    write_file(cert_path, other_leaf.cert_pem);
    write_file(key_path, other_leaf.key_pem);
    hf_test_server_start(&other, (const char *const[]){"--tls", cert_path, key_path, NULL});
    (void)snprintf(other_origin, sizeof(other_origin), "https://127.0.0.1:%u", other.port);
    (void)snprintf(other_url, sizeof(other_url), "%s/redirect?to=%s", other_origin, https_url("/hello"));
    for (int right = 0; right < 2; right++) {
        rows[0] = (struct hf_http_peer){.origin = other_origin, .ca_pem = right ? authority.cert_pem : ca.cert_pem};
        ck_assert_int_eq(hf_http_client_update(client, &config, NULL), 0);
        RUN(first, "/hello");
        ck_outcome(first, 0, 200);
        _cleanup_(outcome_done) struct outcome second = {.done = 0};
        ask(&second, (struct hf_http_request){.url = other_url, .follow_redirects = true}, NULL);
        ck_outcome(second, right ? 0 : -EKEYREJECTED, right ? 200 : 0);
    }
    rows[0] = (struct hf_http_peer){.origin = "https://other.example:443", .problem = "never"};
    hf_test_server_stop(&other);
    hf_test_cert_done(&authority);
    hf_test_cert_done(&other_leaf);

    rows[1].ca_pem = "no PEM";
    ck_assert_int_eq(hf_http_client_update(client, &config, NULL), 0);
    RUN(bad, "/hello");
    ck_assert_msg(bad.r == -EKEYREJECTED && strstr(bad.error, origin) != NULL, "%d %s", bad.r, bad.error);
    rows[1].problem = "the file is away";
    ck_assert_int_eq(hf_http_client_update(client, &config, NULL), 0);
    RUN(away, "/hello");
    ck_assert_msg(away.r == -EKEYREJECTED && strstr(away.error, "the file is away") != NULL, "%s", away.error);
    config.n_peers = 0;
    ck_assert_int_eq(hf_http_client_update(client, &config, NULL), 0);
    RUN(none, "/hello");
    ck_assert_int_eq(none.r, -EKEYREJECTED);
    struct hf_http_request request = {
        .method = "GET", .url = https_url("/"), .credential = "X: a\r\nY: b", .done = keep_end};
    ck_assert_int_eq(http->start(http->ctx, &request, &none.call, NULL), -EINVAL);
}
END_TEST

/* ---- HTTP/2 ------------------------------------------------------------------------------------------------------------ */

static const char *const h2[] = {"--h2", NULL};

static void serve_h2(void)
{
    struct hf_http_config config = trusting();

    serve(&good, h2);
    use(&config);
}

START_TEST(one_connection_for_all)
{
    int left = 40;
    struct outcome o[41];

    serve_h2();
    o[40] = (struct outcome){.done = 0};
    dispatch(&o[40], (struct hf_http_request){.url = https_url("/stall/5"), .on_body = keep_body}); /* a watch */
    for (int i = 0; i < 40; i++) {
        o[i] = (struct outcome){.left = &left};
        dispatch(&o[i], (struct hf_http_request){.url = https_url("/size/30000")});
    }
    hf_loop_run(loop);
    for (int i = 0; i < 40; i++) {
        ck_outcome(o[i], 0, 200);
        ck_assert_uint_eq(o[i].body_n, 30000);
        outcome_done(&o[i]);
    }
    RUN(stats, "/stats");
    ck_assert_msg(strstr(stats.body, "{\"connections\": 1,") != NULL, "%s", stats.body);
    ck_assert_int_eq(o[40].done, 0);
    ck_assert_uint_eq(o[40].streamed, 5);
}
END_TEST

static const struct {
    const char *path;
    int want_r;
    int want_status;
} over_h2[] = {
    {"/hello", 0, 200},           {"/status/404", 0, 404},    {"/cut/1000", -EPIPE, 200},
    {"/cut-chunk", -EPIPE, 200},  {"/silent", -ETIMEDOUT, 0}, {"/stall/10", -ETIMEDOUT, 200},
    {"/many-headers", -E2BIG, 0}, {"/trickle/50", 0, 200},    {"/size/5000000", 0, 200},
    {"/endless", -E2BIG, 200},
};

START_TEST(outcome_over_h2)
{
    serve_h2();
    RUN(o, over_h2[_i].path, .idle_timeout_ns = over_h2[_i].want_r == -ETIMEDOUT ? 200 * MS : 20 * HF_NS_PER_S);
    ck_assert_msg(o.done == 1 && o.r == over_h2[_i].want_r, "%s: r %d, status %d, '%s'", over_h2[_i].path, o.r,
                  o.response.status, o.error);
    RUN(next, "/hello");
    ck_outcome(next, 0, 200);
}
END_TEST

START_TEST(request_over_h2)
{
    serve_h2();
    RUN(o, "/echo", .method = "PATCH", .headers = {"Content-Type: application/apply-patch+yaml"},
        .body = HF_VIEW("{}"));
    ck_outcome(o, 0, 200);
    ck_assert_msg(strstr(o.body, "PATCH") != NULL && strstr(o.body, "apply-patch") != NULL, "%s", o.body);
}
END_TEST

START_TEST(cancelled_stream_spares_the_others)
{
    struct outcome watch = {.done = 0}, gone = {.cancel_at = 1};

    serve_h2();
    dispatch(&watch, (struct hf_http_request){.url = https_url("/trickle/100000?ms=10"), .on_body = keep_body});
    ask(&gone, (struct hf_http_request){.url = https_url("/endless"), .on_body = keep_body}, NULL);
    uint64_t before = watch.streamed;
    RUN(o, "/trickle/20?ms=10");
    ck_outcome(o, 0, 200);
    ck_assert_int_eq(watch.done, 0);
    ck_assert_uint_gt(watch.streamed, before);
    RUN(stats, "/stats");
    ck_assert_msg(strstr(stats.body, "{\"connections\": 1,") != NULL, "%s", stats.body);
}
END_TEST

START_TEST(pause_over_h2)
{
    _cleanup_(outcome_done) struct outcome o = {.pause_at = 100000};

    serve_h2();
    dispatch(&o, (struct hf_http_request){
                     .url = https_url("/size/3000000"), .on_body = keep_body, .idle_timeout_ns = HF_NS_PER_S});
    RUN(meanwhile, "/trickle/150?ms=10");
    (void)meanwhile;
    ck_assert_int_eq(o.done, 0);
    http->pause(http->ctx, o.call, false);
    hf_loop_run(loop);
    ck_outcome(o, 0, 200);
    ck_assert_uint_eq(o.streamed, 3000000);
}
END_TEST

START_TEST(bandwidth_over_h2)
{
    serve_h2();
    uint64_t took_ms;
    int attempts = 0;
    do { /* again, where the machine is busy with other things */
        RUN(o, "/size/450000", .bandwidth_limit = 300000, .on_body = keep_body, .idle_timeout_ns = 10 * HF_NS_PER_S);
        ck_outcome(o, 0, 200);
        ck_assert_uint_eq(o.streamed, 450000);
        took_ms = o.took_ns / MS;
        ck_assert_uint_gt(took_ms, 1200);
    } while (took_ms >= 2500 && ++attempts < 10);
    ck_assert_msg(took_ms < 2500, "took %ju ms", (uintmax_t)took_ms);
}
END_TEST

/* The peer goes silent without a word (its process is stopped): the call that notices ends with a time-out, and the next one does
 * not use that connection again. */
START_TEST(silent_connection_is_left)
{
    serve_h2();
    RUN(first, "/hello");
    ck_outcome(first, 0, 200);
    ck_assert_int_eq(kill(server.pid, SIGSTOP), 0);
    RUN(dead, "/hello", .timeout_ns = 200 * MS);
    ck_outcome(dead, -ETIMEDOUT, 0);
    ck_assert_int_eq(kill(server.pid, SIGCONT), 0);
    RUN(stats, "/stats");
    ck_assert_msg(strstr(stats.body, "{\"connections\": 2,") != NULL, "%s", stats.body);
}
END_TEST

/* A call that times out while others receive is the server's slowness, not the connection's. */
START_TEST(slow_answer_keeps_the_connection)
{
    struct outcome watch = {.done = 0};

    serve_h2();
    RUN(first,
        "/hello"); /* the handshake is not what is timed here, and a busy machine may take a while to send the next byte */
    ck_outcome(first, 0, 200);
    dispatch(&watch, (struct hf_http_request){.url = https_url("/trickle/100000?ms=10"), .on_body = keep_body});
    RUN(slow, "/silent", .timeout_ns = 1500 * MS);
    ck_outcome(slow, -ETIMEDOUT, 0);
    RUN(stats, "/stats");
    ck_assert_msg(strstr(stats.body, "{\"connections\": 1,") != NULL, "%s", stats.body);
}
END_TEST

START_TEST(server_restarts)
{
    uint16_t port;

    serve_h2();
    RUN(first, "/hello");
    ck_outcome(first, 0, 200);
    port = server.port;
    hf_test_server_stop(&server);
    RUN(gone, "/hello");
    ck_assert_msg(gone.r == -ECONNREFUSED, "%d %s", gone.r, gone.error);
    hf_test_server_start(&server, (const char *const[]){"--tls", cert_path, key_path, "--h2", NULL});
    ck_assert_uint_ne(port, 0);
    RUN(again, "/hello");
    ck_outcome(again, 0, 200);
}
END_TEST

START_TEST(drop_connections)
{
    serve_h2();
    RUN(first, "/hello");
    hf_http_client_drop_connections(client);
    hf_http_client_drop_connections(client);
    RUN(stats, "/stats");
    ck_assert_msg(strstr(stats.body, "{\"connections\": 2,") != NULL, "%s", stats.body);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, trusted);
    tcase_add_loop_test(tc, verdict, 0, (int)HF_LEN(verdicts));
    tcase_add_test(tc, authority_within_the_allowance);
    tcase_add_test(tc, given_clock);
    tcase_add_loop_test(tc, range_of_the_clock, 0, HF_LEN(ranges));
    tcase_add_test(tc, insecure);
    tcase_add_test(tc, server_name);
    tcase_add_test(tc, system_store);
    tcase_add_loop_test(tc, bad_configuration, 0, (int)HF_LEN(unreadable));
    tcase_add_test(tc, key_of_another);
    tcase_add_test(tc, client_certificate);
    tcase_add_test(tc, never_down_to_http);
    tcase_add_test(tc, up_to_https);
    tcase_add_test(tc, peers);
    tcase_add_test(tc, one_connection_for_all);
    tcase_add_loop_test(tc, outcome_over_h2, 0, (int)HF_LEN(over_h2));
    tcase_add_test(tc, request_over_h2);
    tcase_add_test(tc, cancelled_stream_spares_the_others);
    tcase_add_test(tc, pause_over_h2);
    tcase_add_test(tc, bandwidth_over_h2);
    tcase_add_test(tc, silent_connection_is_left);
    tcase_add_test(tc, slow_answer_keeps_the_connection);
    tcase_add_test(tc, server_restarts);
    tcase_add_test(tc, drop_connections);
}

HF_TEST_MAIN("loop/https", cases)
