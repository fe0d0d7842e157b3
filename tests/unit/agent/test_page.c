/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a node over real sockets: who may read it, under which policy a browser runs it, and what the state says. */
#include "agent/page/page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "codec/json.h"
#include "config/config.h"
#include "loop/loop.h"
#include "os/clock_posix.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/raw_http.h"
#include "web/page.h"

static struct hf_loop *loop;
static struct hf_metrics *metrics;
static struct hf_agent_configuration configuration;
static struct hf_agent_page *page;
static struct hf_server *server;

static int lost = -1; /* events; -1: no telemetry */

static json_t *telemetry(void *arg)
{
    ck_assert_ptr_eq(arg, &lost);
    return lost < 0 ? NULL : json_pack("{s:[{s:s, s:i}]}", "sinks", "name", "\"</script>", "droppedEvents", lost);
}

static void retry(void *arg)
{
    (void)arg;
    ck_abort_msg("an act without a token");
}

static void audited(void *arg, const char *subject, const char *reason, const char *message)
{
    (void)arg;
    (void)subject;
    (void)message;
    ck_assert_str_eq(reason, "TokenWrong");
}

static void set_up(void)
{
    struct hf_err err = HF_ERR_INIT;
    size_t n;

    loop = hf_loop_new(NULL);
    metrics = hf_metrics_new();
    configuration = (struct hf_agent_configuration){0};
    lost = -1;
    page = hf_agent_page_new(&(struct hf_agent_page_params){
        .configuration = &configuration,
        .world = {.fs = hf_fs_posix(), .clock = hf_clock_posix(), .sched = hf_loop_sched(loop), .metrics = metrics},
        .state_dir = "/nonexistent",
        .run_dir = "/nonexistent",
        .telemetry = telemetry,
        .arg = &lost,
        .acts = {.proc = hf_loop_proc(loop), .retry = retry, .audited = audited}});
    const struct hf_server_route *routes = hf_agent_page_routes(page, &n);
    const struct hf_server_params params = {.address = "127.0.0.1", .routes = routes, .n_routes = n};
    int r = hf_server_new(loop, &params, &server, &err);
    ck_assert_msg(r == 0, "%s", err.cause);
}

static void tear_down(void)
{
    hf_config_free(configuration.now);
    hf_server_free(server);
    hf_agent_page_free(page);
    hf_loop_free(loop);
    hf_metrics_free(metrics);
}

static struct raw_answer get(const char *path, const char *headers)
{
    return raw_http_ask(loop, hf_server_port(server), "GET", path, headers);
}

static void configure(const char *text)
{
    hf_config_free(configuration.now);
    configuration.now = NULL;
    ck_assert_int_eq(hf_config_parse(hf_view_of(text), "agent.yaml", &configuration.now, NULL), 0);
}

#define HEAD "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"

/* ---- who may look ------------------------------------------------------------------------------------------------ */

static const struct {
    const char *headers;
    int want;
} readers[] = {
    {"Host: 127.0.0.1:9090\r\n", 200},
    {"Host: localhost\r\n", 200},
    {"Host: [::1]:9090\r\n", 200},
    {"Host: evil.example\r\n", 403}, /* a name that its owner pointed to 127.0.0.1 */
    {"Host: evil.example:9090\r\n", 403},
    {"Host: 127.0.0.1.evil.example\r\n", 403},
    {"Host: 127.0.0.1\r\nOrigin: http://evil.example\r\n", 403},
    {"Host: 127.0.0.1\r\nOrigin: null\r\n", 403},
    {"", 400},
    {"Host: 127.0.0.1:9090\r\nOrigin: http://127.0.0.1:8080\r\n", 403}, /* another service of this machine */
    {"Host: 127.0.0.1:9090\r\nOrigin: http://127.0.0.1:9090\r\n",
     200}, /* the page itself: browsers say so for modules */
    {"Host: 127.0.0.1:9090\r\nOrigin: http://localhost:9090\r\n", 403},
    {"Host: 127.0.0.1:9090\r\nOrigin: http://127.0.0.1:90901\r\n", 403},
    {"Host: 127.0.0.1:9090\r\nOrigin: http://127.0.0.1:909\r\n", 403},
    {"Host: evil.example\r\nOrigin: http://evil.example\r\n", 403},
    {"Origin: http://\r\n", 403},
};

START_TEST(only_this_machine_reads_it)
{
    for (size_t i = 0;; i++) {
        const char *path = i == 0 ? "/page/state.json" : i == 1 ? "/page/reasons.json" : hf_page_path(i - 2);
        if (path == NULL)
            break;
        struct raw_answer a = get(path, readers[_i].headers);
        ck_assert_msg(a.status == readers[_i].want, "%s with %s: %d", path, readers[_i].headers, a.status);
        ck_assert_msg(a.status == 200 || a.n < 300, "%s: a refusal that says too much", path);
        raw_answer_done(&a);
    }
}
END_TEST

/* A server on all addresses, for a Prometheus elsewhere, has no page for others. */
START_TEST(nobody_over_another_address)
{
    static const struct {
        struct hf_peer peer;
        bool may;
    } cases[] = {
        {{.key = 1}, false},
        {{.over_loopback = true}, false}, /* routed or translated to 127.0.0.1 */
        {{.over_loopback = true, .from_loopback = true}, true},
        {{.over_unix = true}, true},
    };
    size_t n;
    const struct hf_server_route *routes = hf_agent_page_routes(page, &n);

    ck_assert_uint_gt(n, 10);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < HF_LEN(cases); k++) {
            const struct hf_server_request request = {.path = hf_view_of(routes[i].path), .peer = &cases[k].peer};
            struct hf_server_reply reply = {.status = 200, .body = HF_BUF_INIT(1 << 20)};
            if (routes[i].handle == NULL)
                continue; /* an act */
            routes[i].handle(routes[i].arg, &request, &reply);
            ck_assert_msg((reply.status != 403) == cases[k].may, "%s: %d", routes[i].path, reply.status);
            hf_buf_done(&reply.body);
        }
}
END_TEST

static const struct {
    const char *text;
    int want;
} configurations[] = {
    {HEAD, 200},
    {HEAD "page: Read\n", 200},
    {HEAD "page: Act\n", 200},
    {HEAD "page: None\n", 403},
    {HEAD "page: Reed\n", 403},
    {"nonsense", 403},
};

START_TEST(the_configuration_counts_at_each_request)
{
    for (size_t i = 0; i < HF_LEN(configurations); i++) {
        configure(configurations[i].text);
        for (int k = 0; k < 3; k++) {
            static const char *const paths[] = {"/", "/page/state.json", "/page/reasons.json"};
            struct raw_answer a = get(paths[k], "Host: 127.0.0.1\r\n");
            ck_assert_msg(a.status == configurations[i].want, "%s: %s %d", configurations[i].text, paths[k], a.status);
            raw_answer_done(&a);
        }
    }
}
END_TEST

START_TEST(nothing_but_get)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"};

    for (size_t i = 0; i < HF_LEN(methods); i++) {
        struct raw_answer a = raw_http_ask(loop, hf_server_port(server), methods[i], "/page/state.json",
                                           "Host: 127.0.0.1\r\nContent-Length: 0\r\n");
        ck_assert_msg(a.status == 405, "%s: %d", methods[i], a.status);
        raw_answer_done(&a);
    }
}
END_TEST

#define JSON_ACT "Content-Type: application/json\r\nContent-Length: 15\r\n"
#define ACT "{\"act\":\"Retry\"}"

static const struct {
    const char *configuration, *headers;
    int want;
} askers[] = {
    {"", "Host: 127.0.0.1\r\n" JSON_ACT, 403}, /* the default reads only */
    {"page: Read\n", "Host: 127.0.0.1\r\nX-Holdfast-Token: 00\r\n" JSON_ACT, 403},
    {"page: Act\n", "Host: 127.0.0.1\r\n" JSON_ACT, 401},
    {"page: Act\n", "Host: 127.0.0.1\r\nX-Holdfast-Token: 00\r\n" JSON_ACT, 403},
    {"page: Act\n", "Host: 127.0.0.1\r\nX-Holdfast-Token: 00\r\nContent-Length: 15\r\n", 415},
    {"page: Act\n", "Host: evil.example\r\n" JSON_ACT, 403},
    {"page: Act\n", "Host: 127.0.0.1\r\nOrigin: http://evil.example\r\n" JSON_ACT, 403},
};

START_TEST(nobody_acts_without_a_token)
{
    static char request[1024], answer[4096];
    char config[256];

    (void)snprintf(config, sizeof(config), HEAD "%s", askers[_i].configuration);
    configure(config);
    (void)snprintf(request, sizeof(request), "POST /page/act HTTP/1.1\r\n%sConnection: close\r\n\r\n" ACT,
                   askers[_i].headers);
    int fd = raw_http_connect(hf_server_port(server)), status = 0;
    (void)raw_http_talk(loop, fd, request, strlen(request), "}", 20000, answer, sizeof(answer));
    ck_assert_msg(sscanf(answer, "HTTP/1.1 %d", &status) == 1 && status == askers[_i].want, "%d: %s", _i, answer);
    (void)close(fd);
}
END_TEST

/* ---- by websocket ------------------------------------------------------------------------------------------------ */

#define WEBSOCKET                                                                                                      \
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "                    \
    "dGhlIHNhbXBsZSBub25jZQ==\r\n"

enum { MAX_TALK = 64 << 10, PATIENCE_MS = 20000 };

static char talk[MAX_TALK];

/* The answer's status; the connection stays in *ret_fd. Waits for `until`. */
static int join(const char *headers, const char *until, int *ret_fd)
{
    char request[1024];
    int status = 0;
    int n = snprintf(request, sizeof(request), "GET /page/live HTTP/1.1\r\n%s" WEBSOCKET "\r\n", headers);

    *ret_fd = raw_http_connect(hf_server_port(server));
    (void)raw_http_talk(loop, *ret_fd, request, (size_t)n, until, PATIENCE_MS, talk, sizeof(talk));
    ck_assert_msg(sscanf(talk, "HTTP/1.1 %d", &status) == 1, "%s: '%s'", headers, talk);
    return status;
}

START_TEST(only_this_machine_joins)
{
    int fd;

    hf_agent_page_show(page, HF_VIEW("{\"secret\":1}"));
    int status = join(readers[_i].headers, readers[_i].want == 200 ? "secret" : "}\n", &fd);
    ck_assert_msg(status == (readers[_i].want == 200 ? 101 : readers[_i].want), "%s: %d", readers[_i].headers, status);
    ck_assert((strstr(talk, "secret") != NULL) == (readers[_i].want == 200));
    (void)close(fd);
}
END_TEST

/* Says `bytes` to the server, which then closes: by a frame that says so, after which it waits a while for ours, or at
 * once. */
static bool is_closed(int fd, const char *bytes, size_t n)
{
    (void)raw_http_talk(loop, fd, bytes, n, "\x88", PATIENCE_MS, talk, sizeof(talk));
    return strchr(talk, '\x88') != NULL || recv(fd, talk, 1, MSG_DONTWAIT) == 0;
}

START_TEST(news_come_when_they_happen)
{
    int fd;

    hf_agent_page_show(page, HF_VIEW("{\"n\":1}"));
    ck_assert_int_eq(join("Host: 127.0.0.1\r\n", "{\"n\":1}", &fd), 101);
    hf_agent_page_show(page, HF_VIEW("{\"n\":2}"));
    (void)raw_http_talk(loop, fd, NULL, 0, "{\"n\":2}", PATIENCE_MS, talk, sizeof(talk));
    ck_assert_msg(strstr(talk, "{\"n\":2}") != NULL, "'%s'", talk);
    configure(HEAD "page: None\n");
    ck_assert(is_closed(fd, NULL, 0)); /* within 2 seconds (HF_AGENT_PAGE_LIVE_NS in page.c) */
    (void)close(fd);
    ck_assert_int_eq(join("Host: 127.0.0.1\r\n", "}\n", &fd), 403);
    (void)close(fd);
}
END_TEST

START_TEST(one_more_is_turned_away)
{
    int fds[HF_AGENT_PAGE_VIEWERS + 1];

    hf_agent_page_show(page, HF_VIEW("{\"n\":1}"));
    for (size_t i = 0; i < HF_AGENT_PAGE_VIEWERS; i++)
        ck_assert_int_eq(join("Host: 127.0.0.1\r\n", "{\"n\":1}", &fds[i]), 101);
    ck_assert_int_eq(join("Host: 127.0.0.1\r\n", "}\n", &fds[HF_AGENT_PAGE_VIEWERS]), 503);
    ck_assert_ptr_nonnull(strstr(talk, "etry-"));
    (void)close(fds[HF_AGENT_PAGE_VIEWERS]);
    struct raw_answer a =
        get("/page/state.json", "Host: 127.0.0.1\r\n"); /* the page then asks, and nobody else suffers */
    ck_assert_int_eq(a.status, 200);
    raw_answer_done(&a);
    (void)close(fds[0]);
    int status = 503; /* until the server sees that the place is free */
    for (int i = 0; i < 100 && (status = join("Host: 127.0.0.1\r\n", "{\"n\":1}", &fds[0])) == 503; i++)
        (void)close(fds[0]);
    ck_assert_int_eq(status, 101);
    for (size_t i = 0; i < HF_AGENT_PAGE_VIEWERS; i++)
        (void)close(fds[i]);
}
END_TEST

static const struct {
    const char *what;
    const char *bytes;
    size_t n;
} sayings[] = {
    {"a text", "\x81\x81\x01\x02\x03\x04\x60", 7},
    {"binary", "\x82\x81\x01\x02\x03\x04\x60", 7},
    {"a text of 2^63 bytes", "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03\x04xxxxxxxxxxxxxxxx", 30},
    {"no mask", "\x81\x05hello", 7},
    {"a reserved operation", "\x83\x80\x01\x02\x03\x04", 6},
    {"a long ping", "\x89\xfe\x01\x00\x01\x02\x03\x04xxxxxxxx", 16},
    {"a continuation of nothing", "\x80\x81\x01\x02\x03\x04\x60", 7},
    {"a close", "\x88\x82\x01\x02\x03\x04\x02\xea", 8},
    {"HTTP", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 35},
};

START_TEST(who_speaks_is_closed)
{
    int fd;

    hf_agent_page_show(page, HF_VIEW("{\"n\":1}"));
    ck_assert_int_eq(join("Host: 127.0.0.1\r\n", "{\"n\":1}", &fd), 101);
    ck_assert_msg(is_closed(fd, sayings[_i].bytes, sayings[_i].n), "%s", sayings[_i].what);
    (void)close(fd);
}
END_TEST

/* ---- what they get ----------------------------------------------------------------------------------------------- */

static size_t unpacked_bytes(const struct raw_answer *a)
{
    static unsigned char out[256 << 10];
    z_stream z = {
        .next_in = (unsigned char *)a->body, .avail_in = (uInt)a->n, .next_out = out, .avail_out = sizeof(out)};

    ck_assert_int_eq(inflateInit2(&z, 16 + 15), Z_OK);
    ck_assert_int_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
    ck_assert_int_eq(inflateEnd(&z), Z_OK);
    return z.total_out;
}

START_TEST(every_file_is_under_the_policy)
{
    const char *path;
    size_t sum = 0;

    for (size_t i = 0; (path = hf_page_path(i)) != NULL; i++) {
        struct raw_answer a = get(path, "Host: 127.0.0.1\r\n");
        ck_assert_msg(a.status == 200, "%s: %d", path, a.status);
        const char *csp = strstr(a.head, "ontent-security-policy: default-src 'none'; script-src 'self'; ");
        if (csp == NULL)
            csp = strstr(a.head, "ontent-Security-Policy: default-src 'none'; script-src 'self'; ");
        ck_assert_msg(csp != NULL && strstr(csp, "require-trusted-types-for 'script'; trusted-types 'none'") != NULL,
                      "%s: %s", path, a.head);
        ck_assert_msg(strstr(a.head, "unsafe") == NULL && strstr(a.head, "nosniff") != NULL, "%s: %s", path, a.head);
        ck_assert_uint_gt(unpacked_bytes(&a), 0);
        sum += a.n;
        raw_answer_done(&a);
    }
    ck_assert_uint_le(sum, 60000);
}
END_TEST

START_TEST(the_state_is_the_newest_status)
{
    struct raw_answer a = get("/page/state.json", "Host: 127.0.0.1\r\n");
    _cleanup_(hf_json_freep) json_t *before = NULL, *after = NULL;

    ck_assert_int_eq(hf_json_parse((struct hf_view){a.body, a.n}, NULL, &before, NULL), 0);
    ck_assert(json_is_null(json_object_get(before, "node")));
    ck_assert_ptr_nonnull(hf_json_str(before, "time"));
    ck_assert_ptr_null(json_object_get(before, "telemetry"));
    raw_answer_done(&a);

    struct hf_metric_family *disks =
        hf_metric_family(metrics, HF_METRIC_GAUGE, "holdfast_disk_used_ratio", "Used.", HF_LABELS("path"));
    hf_metric_set(hf_metric_with(disks, HF_LABELS("/a")), 0.25);
    hf_metric_set(hf_metric_with(disks, HF_LABELS("/b")), 0.5);
    struct hf_metric_family *bytes =
        hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_network_bytes_total", "Bytes.", HF_LABELS("kind"));
    hf_metric_add(hf_metric_with(bytes, HF_LABELS("a")), 3);
    hf_metric_add(hf_metric_with(bytes, HF_LABELS("b")), 4);
    hf_metric_set(hf_metric_gauge(metrics, "holdfast_contact_age_seconds", "Age."), NAN);
    hf_agent_page_show(page, HF_VIEW("{\"old\":true}"));
    hf_agent_page_show(page, HF_VIEW("{\"metadata\":{\"name\":\"</script>\"}}"));
    lost = 3400; /* since that status */
    a = get("/page/state.json", "Host: 127.0.0.1\r\n");
    ck_assert_int_eq(hf_json_parse((struct hf_view){a.body, a.n}, NULL, &after, NULL), 0);
    ck_assert_str_eq(hf_json_str_or(after, "node.metadata.name", ""), "</script>");
    ck_assert_ptr_null(hf_json_at(after, "node.old"));
    const json_t *sink = json_array_get(hf_json_at(after, "telemetry.sinks"), 0);
    ck_assert_str_eq(hf_json_str_or(sink, "name", ""), "\"</script>");
    ck_assert_int_eq(hf_json_int_or(sink, "droppedEvents", 0), 3400);
    ck_assert(json_real_value(hf_json_at(after, "now.diskUsedRatio")) == 0.5);
    ck_assert_int_eq(hf_json_int_or(after, "now.networkBytes", 0), 7);
    ck_assert_ptr_null(hf_json_at(after, "now.contactAgeSeconds")); /* JSON has no NaN */
    ck_assert_ptr_nonnull(strstr(a.head, "application/json"));
    raw_answer_done(&a);
}
END_TEST

START_TEST(every_reason_is_explained)
{
    struct raw_answer a = get("/page/reasons.json", "Host: 127.0.0.1\r\n");
    _cleanup_(hf_json_freep) json_t *all = NULL;
    const char *name;
    json_t *one;

    ck_assert_int_eq(hf_json_parse((struct hf_view){a.body, a.n}, NULL, &all, NULL), 0);
    ck_assert_uint_gt(json_object_size(hf_json_at(all, "update")), 60);
    ck_assert_uint_gt(json_object_size(hf_json_at(all, "manifest")), 20);
    ck_assert_uint_gt(json_object_size(hf_json_at(all, "contact")), 10);
    json_object_foreach(hf_json_mutable(hf_json_at(all, "update")), name, one)
        ck_assert_msg(hf_json_str(one, "means") != NULL && hf_json_str(one, "do") != NULL, "%s", name);
    ck_assert_ptr_nonnull(hf_json_str(all, "contact.DnsFailed.do"));
    raw_answer_done(&a);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, only_this_machine_reads_it, 0, HF_LEN(readers));
    tcase_add_test(tc, the_configuration_counts_at_each_request);
    tcase_add_test(tc, nobody_over_another_address);
    tcase_add_test(tc, nothing_but_get);
    tcase_add_loop_test(tc, nobody_acts_without_a_token, 0, HF_LEN(askers));
    tcase_add_loop_test(tc, only_this_machine_joins, 0, HF_LEN(readers));
    tcase_add_test(tc, news_come_when_they_happen);
    tcase_add_test(tc, one_more_is_turned_away);
    tcase_add_loop_test(tc, who_speaks_is_closed, 0, HF_LEN(sayings));
    tcase_add_test(tc, every_file_is_under_the_policy);
    tcase_add_test(tc, the_state_is_the_newest_status);
    tcase_add_test(tc, every_reason_is_explained);
}
HF_TEST_MAIN("agent/page", cases)
