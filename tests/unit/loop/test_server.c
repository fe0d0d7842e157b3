/* SPDX-License-Identifier: Apache-2.0 */
#include "http_fixture.h"

#include <fcntl.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "loop/http/client.h"
#include "loop/server/internal.h"
#include "loop/server/server.h"
#include "support/loop_for.h"

#define MS HF_NS_PER_MS

static struct hf_server *local;
static int handled;

static void say_hello(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    (void)request;
    handled++;
    ck_assert_int_eq(hf_buf_add_str(&reply->body, arg), 0);
}

static void echo(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    (void)arg;
    handled++;
    reply->content_type = "application/x-echo";
    reply->extra_headers[0] = "X-Extra: yes";
    reply->status = 202;
    ck_assert_int_eq(hf_buf_addf(&reply->body, "%.*s %.*s ?%.*s type=%.*s body=%.*s", (int)request->method.n,
                                 request->method.p, (int)request->path.n, request->path.p, (int)request->query.n,
                                 request->query.p, (int)request->content_type.n, request->content_type.p,
                                 (int)request->body.n, request->body.p),
                     0);
}

enum { BIG = 3000000 };

static void big(void *arg, const struct hf_server_request *request, struct hf_server_reply *reply)
{
    (void)arg;
    (void)request;
    ck_assert_int_eq(hf_buf_reserve(&reply->body, BIG), 0);
    for (size_t i = 0; i < BIG; i++)
        reply->body.p[i] = (char)('a' + i % 23);
    reply->body.n = BIG;
    reply->body.p[BIG] = '\0';
}

/* Exchanges that were begun and not answered. */
static struct hf_server_exchange *begun[HF_SERVER_MAX_CONNECTIONS];
static size_t n_begun;
static char begun_text[512];

static void begin(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange)
{
    char one[8];

    (void)arg;
    ck_assert(hf_server_header(request, "x-one:", one, sizeof(one)));
    (void)snprintf(begun_text, sizeof(begun_text), "encoding=%.*s one=%s body=%zu", (int)request->content_encoding.n,
                   request->content_encoding.p, one, request->body.n);
    if (hf_view_eq(request->query, "now")) {
        hf_server_answer(exchange, 200, NULL, NULL, hf_view_of(begun_text));
        return;
    }
    ck_assert_uint_lt(n_begun, HF_LEN(begun));
    begun[n_begun++] = exchange;
}

static void answer_all(const char *text)
{
    static const char *const headers[] = {"X-Later: yes", "Retry-After: 7", NULL};

    for (size_t i = 0; i < n_begun; i++)
        hf_server_answer(begun[i], 202, "application/json", headers, hf_view_of(text));
    n_begun = 0;
}

enum { LATER_MAX = 4 << 20, CLIENTS_FROM = 4096 };

static void set_up(void)
{
    static char hello[] = "hello\n";
    static const struct hf_server_route routes[] = {
        {.path = "/hello", .method = "GET", .handle = say_hello, .arg = hello},
        {.path = "/echo", .method = "GET", .handle = echo},
        {.path = "/echo", .method = "POST", .max_body = 1000, .handle = echo},
        {.path = "/big", .method = "GET", .handle = big},
        {.path = "/later", .method = "POST", .max_body = LATER_MAX, .start = begin},
    };
    struct hf_err err = HF_ERR_INIT;

    loop = hf_loop_new(NULL);
    const struct hf_server_params params = {.address = "127.0.0.1", .routes = routes, .n_routes = HF_LEN(routes)};
    int r = hf_server_new(loop, &params, &local, &err);
    ck_assert_msg(r == 0, "%s", err.cause);
    server.port = hf_server_port(local);
    ck_assert_uint_ne(server.port, 0);
    use(&(struct hf_http_config){.user_agent = "x"});
}

static void tear_down(void)
{
    hf_http_client_free(client);
    hf_loop_free(loop);
}

/* How long a request may take on a busy machine. */
#define PATIENCE_NS (120 * HF_NS_PER_S)

#define RUN(o, path, ...)                                                                                              \
    _cleanup_(outcome_done) struct outcome o = {.done = 0};                                                            \
    ask(&o, (struct hf_http_request){.timeout_ns = PATIENCE_NS, __VA_ARGS__}, path)

START_TEST(serves)
{
    RUN(o, "/hello");
    ck_outcome(o, 0, 200);
    ck_assert_str_eq(o.body, "hello\n");
    ck_assert_str_eq(o.response.content_type, "text/plain; charset=utf-8");
    ck_assert_int_eq(o.response.content_length, 6);
    RUN(again, "/hello");
    ck_outcome(again, 0, 200);
}
END_TEST

START_TEST(passes_the_request)
{
    RUN(o, "/echo?a=1&b=%20x&c", .method = "GET");
    ck_outcome(o, 0, 202);
    ck_assert_str_eq(o.body, "GET /echo ?a=1&b= x&c type= body=");
    ck_assert_str_eq(o.response.content_type, "application/x-echo");
    RUN(post, "/echo", .method = "POST", .headers = {"Content-Type: text/x-y"}, .body = HF_VIEW("the body"));
    ck_outcome(post, 0, 202);
    ck_assert_str_eq(post.body, "POST /echo ? type=text/x-y body=the body");
}
END_TEST

START_TEST(head)
{
    RUN(o, "/hello", .method = "HEAD");
    ck_outcome(o, 0, 200);
    ck_assert_int_eq(o.response.content_length, 6);
    ck_assert_uint_eq(o.body_n, 0);
    RUN(again, "/hello");
    ck_outcome(again, 0, 200);
}
END_TEST

static const struct {
    const char *method;
    const char *path;
    size_t body_n;
    int want_status;
    const char *want_body;
} refusals[] = {
    {"GET", "/none", 0, 404, "{\"error\":\"no such path\"}\n"},
    {"GET", "/", 0, 404, "{\"error\":\"no such path\"}\n"},
    {"GET", "/hello/", 0, 404, "{\"error\":\"no such path\"}\n"},
    {"GET", "/../../etc/passwd", 0, 404, "{\"error\":\"no such path\"}\n"},
    {"DELETE", "/hello", 0, 405, "{\"error\":\"method not allowed\"}\n"},
    {"POST", "/hello", 10, 405, "{\"error\":\"method not allowed\"}\n"},
    {"POST", "/echo", 1001, 413, "{\"error\":\"the body is too long\"}\n"},
    {"POST", "/echo", 1000000, 413, "{\"error\":\"the body is too long\"}\n"},
};

START_TEST(refuses)
{
    char *body = calloc(1, refusals[_i].body_n + 1);

    RUN(o, refusals[_i].path, .method = refusals[_i].method, .body = {body, refusals[_i].body_n});
    ck_outcome(o, 0, refusals[_i].want_status);
    ck_assert_str_eq(o.body, refusals[_i].want_body);
    ck_assert_str_eq(o.response.content_type, "application/json");
    ck_assert_int_eq(handled, 0);
    RUN(next, "/hello");
    ck_outcome(next, 0, 200);
    free(body);
}
END_TEST

START_TEST(longest_body)
{
    char body[1000];

    memset(body, 'x', sizeof(body));
    RUN(o, "/echo", .method = "POST", .body = {body, sizeof(body)});
    ck_outcome(o, 0, 202);
    ck_assert_uint_gt(o.body_n, 1000);
}
END_TEST

START_TEST(big_reply)
{
    RUN(o, "/big");
    ck_outcome(o, 0, 200);
    ck_assert_uint_eq(o.body_n, BIG);
    size_t wrong = 0;
    for (size_t i = 0; i < BIG; i++)
        wrong += o.body[i] != (char)('a' + i % 23);
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* ---- clients that misbehave -------------------------------------------------------------------------------------- */

/* The client's descriptor is a high one: the low ones are left to the server, as in a process that has no clients. */
static int connect_raw(void)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(server.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int low = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = fcntl(low, F_DUPFD_CLOEXEC, CLIENTS_FROM);

    ck_assert_msg(fd >= 0, "no descriptor above %d (is the limit of open files low?)", CLIENTS_FROM);
    (void)close(low);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* What came so far; *ret_open tells whether the connection is. */
static size_t read_raw(int fd, char *text, size_t n, bool *ret_open)
{
    size_t got = 0;
    ssize_t r = 1;

    while (got < n - 1 && (r = read(fd, text + got, n - 1 - got)) > 0)
        got += (size_t)r;
    text[got] = '\0';
    *ret_open = r < 0 && errno == EAGAIN;
    return got;
}

/* Runs the loop until `want` (may be NULL) has come, or the server has closed. Returns whether the connection is
 * open. */
static bool read_until(int fd, const char *want, char *text, size_t n)
{
    size_t got = 0;
    bool open;

    ck_assert_msg(loop_run_until(loop, (got += read_raw(fd, text + got, n - got, &open), !open) ||
                                           (want != NULL && strstr(text, want) != NULL)),
                  "no '%s' in '%s'", want != NULL ? want : "end", text);
    return open;
}

static unsigned still_open(const int *fds, size_t n)
{
    char answer[64];
    unsigned open_now = 0;

    for (size_t i = 0; i < n; i++) {
        bool open;
        (void)read_raw(fds[i], answer, sizeof(answer), &open);
        open_now += open;
    }
    return open_now;
}

/* Returns when the server has closed its ends. */
static void close_all(const int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        (void)shutdown(fds[i], SHUT_WR);
    loop_wait_for(loop, still_open(fds, n) == 0);
    for (size_t i = 0; i < n; i++)
        (void)close(fds[i]);
}

/* Those of the server and of HTTP clients: connect_raw() makes higher ones. */
static unsigned count_descriptors(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

#define H2C "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
#define WEBSOCKET                                                                                                      \
    "Connection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n"                                       \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static const struct {
    const char *name;
    const char *send;
    const char *want; /* in the answer; "": the server closes, and does not serve it; NULL: it waits for more */
} raw[] = {
    {"keep-alive", "GET /hello HTTP/1.1\r\nHost: [::1]\r\n\r\n", "hello\n"},
    {"pipelined", "GET /hello HTTP/1.1\r\nHost: [::1]\r\n\r\nGET /none HTTP/1.1\r\nHost: [::1]\r\n\r\n",
     "no such path"},
    {"chunked body", "POST /echo HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
     "411"},
    {"length is no number", "POST /echo HTTP/1.1\r\nHost: [::1]\r\nContent-Length: -5\r\n\r\n", "HTTP/1.1 400"},
    {"huge length", "POST /echo HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 99999999999999999999999999\r\n\r\n",
     "HTTP/1.1 400"},
    {"not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", ""},
    {"method unknown", "BREW /hello HTTP/1.1\r\nHost: [::1]\r\n\r\n", ""},
    {"encoded dots", "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: [::1]\r\n\r\n", "404"},
    {"h2c is ignored", "GET /hello HTTP/1.1\r\nHost: [::1]\r\n" H2C "\r\n", "HTTP/1.1 200"},
    {"h2c with a body", "POST /echo HTTP/1.1\r\nHost: [::1]\r\n" H2C "Content-Length: 3\r\n\r\nabc", "HTTP/1.1 202"},
    {"h2c after the checks", "GET /hello HTTP/1.1\r\nHost: evil.example\r\n" H2C "\r\n", "HTTP/1.1 403"},
    {"WebSocket is ignored", "GET /hello HTTP/1.1\r\nHost: [::1]\r\n" WEBSOCKET "\r\n", "HTTP/1.1 200"},
    {"WebSocket after the checks",
     "GET /hello HTTP/1.1\r\nHost: [::1]\r\nOrigin: https://evil.example\r\n" WEBSOCKET "\r\n", "HTTP/1.1 403"},
    {"another protocol", "GET /hello HTTP/1.1\r\nHost: [::1]\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "403"},
    {"a tunnel", "CONNECT 127.0.0.1:9 HTTP/1.1\r\nHost: [::1]\r\n\r\n", ""},
    {"HTTP/1.0", "GET /hello HTTP/1.0\r\n\r\n", "hello\n"},
    {"HTTP/1.0 with a Host", "GET /hello HTTP/1.0\r\nHost: localhost\r\n\r\n", "hello\n"},
    {"HTTP/1.0 with another Host", "GET /hello HTTP/1.0\r\nHost: evil.example\r\n\r\n", "403"},
    {"no Host", "GET /hello HTTP/1.1\r\n\r\n", "HTTP/1.1 400"},
    {"an empty Host", "GET /hello HTTP/1.1\r\nHost:\r\n\r\n", "HTTP/1.1 400"},
    {"no Host with a body", "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 400"},
    {"no Host of a version to come", "GET /hello HTTP/1.2\r\n\r\n", " 400 "},
    {"WebSocket without a Host", "GET /hello HTTP/1.1\r\n" WEBSOCKET "\r\n", "HTTP/1.1 400"},
    {"half a request", "GET /hel", NULL},
    {"nothing", "", NULL},
};

START_TEST(raw_request)
{
    char answer[4096];
    bool open;
    int fd = connect_raw();

    ck_assert_int_eq(write(fd, raw[_i].send, strlen(raw[_i].send)), (ssize_t)strlen(raw[_i].send));
    if (raw[_i].want == NULL) {
        loop_run_for(loop, 60 * MS);
        ck_assert_msg(read_raw(fd, answer, sizeof(answer), &open) == 0 && open, "%s: '%s'", raw[_i].name, answer);
    } else if (raw[_i].want[0] == '\0') {
        (void)read_until(fd, NULL, answer, sizeof(answer));
        ck_assert_msg(strstr(answer, " 200 ") == NULL && strstr(answer, " 202 ") == NULL, "%s: '%s'", raw[_i].name,
                      answer);
    } else {
        (void)read_until(fd, raw[_i].want, answer, sizeof(answer));
        ck_assert_msg(strstr(answer, raw[_i].want) != NULL, "%s: '%s'", raw[_i].name, answer);
    }
    (void)close(fd);
    RUN(next, "/hello");
    ck_outcome(next, 0, 200);
}
END_TEST

START_TEST(headers_beyond_the_limit)
{
    char answer[4096], line[1024];
    int fd = connect_raw();

    memset(line, 'y', sizeof(line));
    (void)!write(fd, "GET /hello HTTP/1.1\r\nX: ", 24);
    for (int i = 0; i < 40; i++) {
        (void)!write(fd, line, sizeof(line));
        loop_run_for(loop, MS);
    }
    (void)!write(fd, "\r\n\r\n", 4);
    ck_assert(!read_until(fd, NULL, answer, sizeof(answer)));
    ck_assert_msg(strstr(answer, "hello") == NULL, "%s", answer);
    ck_assert_int_eq(handled, 0);
    (void)close(fd);
    RUN(next, "/hello");
    ck_outcome(next, 0, 200);
}
END_TEST

/* A client that does not read what it asked for holds up nobody, and a body that comes byte by byte arrives whole. */
START_TEST(slow_clients)
{
    static const char ask_big[] = "GET /big HTTP/1.1\r\nHost: [::1]\r\n\r\n";
    static const char post[] = "POST /echo HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 5\r\n\r\nabcde";
    char answer[4096];
    int deaf = connect_raw(), slow = connect_raw();

    ck_assert_int_eq(write(deaf, ask_big, sizeof(ask_big) - 1), (ssize_t)sizeof(ask_big) - 1);
    for (size_t i = 0; i < sizeof(post) - 1; i++) {
        ck_assert_int_eq(write(slow, post + i, 1), 1);
        loop_run_for(loop, MS);
    }
    RUN(o, "/hello");
    ck_outcome(o, 0, 200);
    (void)read_until(slow, "body=abcde", answer, sizeof(answer));
    ck_assert_msg(strstr(answer, "body=abcde") != NULL, "%s", answer);
    (void)close(deaf); /* in the middle of its reply */
    (void)close(slow);
    RUN(next, "/big");
    ck_outcome(next, 0, 200);
}
END_TEST

START_TEST(too_many_connections)
{
    int fds[HF_SERVER_MAX_CONNECTIONS + 8];

    for (size_t i = 0; i < HF_LEN(fds); i++) {
        fds[i] = connect_raw();
        if (i % 64 == 0)
            loop_run_for(loop, 2 * MS);
    }
    loop_wait_for(loop, still_open(fds, HF_LEN(fds)) <= HF_SERVER_MAX_CONNECTIONS);
    loop_run_for(loop, 20 * MS);
    ck_assert_uint_eq(still_open(fds, HF_LEN(fds)), HF_SERVER_MAX_CONNECTIONS);
    close_all(fds, HF_LEN(fds));
    for (int i = 0; i < 3; i++) {
        RUN(o, "/hello");
        ck_outcome(o, 0, 200);
    }
}
END_TEST

START_TEST(thousand_requests)
{
    for (int i = 0; i < 1000; i++) {
        struct outcome o = {.done = 0};
        ask(&o, (struct hf_http_request){.timeout_ns = PATIENCE_NS}, i % 2 ? "/hello" : "/none");
        ck_assert_int_eq(o.r, 0);
        outcome_done(&o);
        if (i % 100 == 0)
            hf_http_client_drop_connections(client);
    }
}
END_TEST

START_TEST(taken_port)
{
    struct hf_server *second = (void *)1;
    struct hf_err err = HF_ERR_INIT;

    static const struct {
        const char *address;
        uint16_t port;
        int want;
    } rows[] = {{"127.0.0.1", 0, -EADDRINUSE}, {"localhost.invalid", 1, -EINVAL}, {"192.0.2.1", 1, -EADDRNOTAVAIL}};

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        const struct hf_server_params params = {.address = rows[i].address,
                                                .port = rows[i].port != 0 ? rows[i].port : server.port};
        ck_assert_int_eq(hf_server_new(loop, &params, &second, &err), rows[i].want);
        ck_assert_msg(strstr(err.cause, rows[i].address) != NULL, "%s", err.cause);
    }
    ck_assert_ptr_eq(second, (void *)1);
    RUN(o, "/hello");
    ck_outcome(o, 0, 200);
}
END_TEST

/* The loop ends with connections in every state; nothing leaks, nothing is called. */
START_TEST(ends_with_connections)
{
    static const char half[] = "POST /echo HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 500\r\n\r\nabc";
    static const char ask_big[] = "GET /big HTTP/1.1\r\nHost: [::1]\r\n\r\n";
    char byte;
    int idle = connect_raw(), posting = connect_raw(), deaf = connect_raw();

    (void)!write(posting, half, sizeof(half) - 1);
    (void)!write(deaf, ask_big, sizeof(ask_big) - 1);
    loop_wait_for(loop, recv(deaf, &byte, 1, MSG_PEEK) == 1);
    hf_http_client_free(client);
    client = NULL;
    hf_loop_free(loop);
    loop = NULL;
    (void)close(idle);
    (void)close(posting);
    (void)close(deaf);
}
END_TEST

/* A library of that name in the working directory is not what is loaded, and the directory is the same afterwards. */
START_TEST(working_directory_is_not_searched)
{
    char folder[] = "/tmp/hf-server-XXXXXX", cwd[256], before[256];
    const struct hf_server_params params = {.address = "127.0.0.1"};
    struct hf_loop *fresh = hf_loop_new(NULL); /* the context is made with a loop's first server */
    struct hf_server *first;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_ptr_nonnull(getcwd(before, sizeof(before)));
    ck_assert_int_eq(chdir(folder), 0);
    FILE *trap = fopen("libwebsockets-evlib_uv.so", "w");
    ck_assert_int_ge(fputs("not a library", trap), 0);
    ck_assert_int_eq(fclose(trap), 0);
    ck_assert_msg(hf_server_new(fresh, &params, &first, &err) == 0, "%s", err.cause);
    ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
    ck_assert_str_eq(cwd, folder);
    ck_assert_int_eq(unlink("libwebsockets-evlib_uv.so"), 0);
    ck_assert_int_eq(chdir(before), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    hf_loop_free(fresh);
}
END_TEST

/* ---- several servers --------------------------------------------------------------------------------------------- */

static struct hf_server *open_second(struct hf_server_limits limits)
{
    static char names[4][8] = {"beside1", "beside2", "beside3", "beside4"};
    static unsigned n_opened;
    const struct hf_server_route routes[] = {
        {.path = "/beside", .method = "GET", .handle = say_hello, .arg = names[n_opened++ % 4]}};
    const struct hf_server_params params = {.address = "127.0.0.1", .routes = routes, .n_routes = 1, .limits = limits};
    struct hf_server *second = NULL;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(hf_server_new(loop, &params, &second, &err) == 0, "%s", err.cause);
    return second;
}

/* A loop of its own: the fixture's server has reserved everything. */
static void begin_anew(void)
{
    hf_http_client_free(client);
    client = NULL;
    hf_loop_free(loop);
    loop = hf_loop_new(NULL);
    use(&(struct hf_http_config){.user_agent = "x"});
}

START_TEST(a_flooded_server_leaves_the_others_alone)
{
    int fds[64];

    begin_anew();
    struct hf_server *flooded = open_second((struct hf_server_limits){.max_connections = 16});
    struct hf_server *quiet = open_second((struct hf_server_limits){.max_connections = 8});
    server.port = hf_server_port(flooded);
    for (size_t i = 0; i < HF_LEN(fds); i++) {
        fds[i] = connect_raw();
        (void)!write(fds[i], "GET /bes", 8);
    }
    loop_wait_for(loop, still_open(fds, HF_LEN(fds)) <= 16);
    loop_run_for(loop, 20 * MS);
    ck_assert_uint_eq(still_open(fds, HF_LEN(fds)), 16);
    server.port = hf_server_port(quiet);
    for (int i = 0; i < 3; i++) {
        RUN(o, "/beside");
        ck_outcome(o, 0, 200);
        ck_assert_str_eq(o.body, "beside2"); /* not the first server's page, whatever lws makes of the Host header */
        hf_http_client_drop_connections(client);
    }
    RUN(elsewhere, "/hello");
    ck_outcome(elsewhere, 0, 404); /* each has its own paths */
    close_all(fds, HF_LEN(fds));
}
END_TEST

/* Clients that hold all connections of a server that answers at once: a new one is served all the same. */
START_TEST(the_oldest_connection_makes_room)
{
    int fds[20];
    uint64_t since_ns[HF_LEN(fds)];
    char answer[512];

    begin_anew();
    struct hf_server *small = open_second((struct hf_server_limits){.max_connections = 4, .replace_oldest = true});
    server.port = hf_server_port(small);
    for (size_t i = 0; i < HF_LEN(fds); i++) {
        since_ns[i] = test_now_ns();
        fds[i] = connect_raw();
        (void)!write(fds[i], i % 2 ? "GET /bes" : "", i % 2 ? 8 : 0);
        if (i < 4)
            continue;
        loop_wait_for(loop, still_open(fds, i - 3) == 0);
        ck_assert_uint_ge(test_now_ns() - since_ns[i - 4], 50 * MS); /* nobody gives way before */
        ck_assert_uint_eq(still_open(fds, i + 1), 4);
    }
    RUN(o, "/beside");
    ck_outcome(o, 0, 200);
    ck_assert_uint_eq(still_open(fds + HF_LEN(fds) - 3, 3), 3);
    (void)!write(fds[HF_LEN(fds) - 1], "ide HTTP/1.1\r\nHost: [::1]\r\n\r\n", 29);
    (void)read_until(fds[HF_LEN(fds) - 1], "beside", answer, sizeof(answer));
    ck_assert_msg(strstr(answer, "beside") != NULL, "%s", answer);
    close_all(fds, HF_LEN(fds));
}
END_TEST

/* Nobody holds a connection by saying nothing, nor by saying a byte now and then. */
START_TEST(slow_requests_time_out)
{
    begin_anew();
    struct hf_server *hasty = open_second((struct hf_server_limits){.max_connections = 4, .idle_s = 1});
    server.port = hf_server_port(hasty);
    const int fds[] = {connect_raw(), connect_raw()};
    (void)!write(fds[1], "GET /beside HTTP/1.1\r\nX: ", 25);
    for (int i = 0; i < 400 && still_open(fds, 2) > 0; i++) { /* what a head may have of bytes is far away */
        (void)!write(fds[1], "y", 1);
        loop_run_for(loop, 50 * MS);
    }
    ck_assert_uint_eq(still_open(fds, 2), 0);
    close_all(fds, 2);
    RUN(o, "/beside");
    ck_outcome(o, 0, 200);
}
END_TEST

/* Descriptors that are opened before, since the test is on the same side of the limit. */
static void connect_fd(int fd)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(server.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

/* The process has no descriptor left: pages that are answered at once are answered with the spare one; who would hold
 * it is turned away; nobody waits in between while the loop turns without sleeping. */
START_TEST(without_descriptors)
{
    static const char ask_one[] = "GET /beside HTTP/1.1\r\nHost: [::1]\r\n\r\n";
    struct rlimit limit;
    char answer[512];
    int fds[6];

    begin_anew();
    struct hf_server *quick = open_second((struct hf_server_limits){.max_connections = 8, .replace_oldest = true});
    struct hf_server *usual = open_second((struct hf_server_limits){.max_connections = 8});
    for (size_t i = 0; i < HF_LEN(fds); i++)
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = (rlim_t)fds[HF_LEN(fds) - 1] + 1;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    server.port = hf_server_port(quick);
    for (size_t i = 0; i < 5; i++) { /* the first stay: idle, then half a request */
        connect_fd(fds[i]);
        (void)!write(fds[i], ask_one, i == 0 ? 0 : i == 1 ? 8 : sizeof(ask_one) - 1);
        if (i < 2)
            loop_run_for(loop, 30 * MS);
        else
            (void)read_until(fds[i], "beside", answer, sizeof(answer));
        ck_assert_msg(i < 2 || strstr(answer, "beside") != NULL, "%zu: '%s'", i, answer);
    }
    server.port = hf_server_port(usual);
    connect_fd(fds[5]);
    loop_wait_for(loop, still_open(fds + 5, 1) == 0);
    close_all(fds, HF_LEN(fds));
    RUN(o, "/beside");
    ck_outcome(o, 0, 200);
}
END_TEST

/* The server's table of connections ends; what has a higher descriptor is turned away, and harms nobody. */
START_TEST(high_descriptors)
{
    enum { TABLE = HF_SERVER_MAX_CONNECTIONS + 896 };
    int low[TABLE], n = 0;

    while (n < TABLE && (low[n] = fcntl(0, F_DUPFD_CLOEXEC, 0)) < TABLE)
        n++;
    (void)close(low[n]);
    for (int i = 0; i < 3; i++) {
        int fd = connect_raw();
        loop_wait_for(loop, still_open(&fd, 1) == 0);
        (void)close(fd);
    }
    while (n > 0)
        (void)close(low[--n]);
    RUN(o, "/hello");
    ck_outcome(o, 0, 200);
}
END_TEST

START_TEST(connections_are_reserved)
{
    const struct hf_server_params more = {.address = "127.0.0.1", .limits = {.max_connections = 2}};
    struct hf_server *second = NULL;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_server_new(loop, &more, &second, &err), -EMFILE); /* the fixture's has all */
    begin_anew();
    (void)open_second((struct hf_server_limits){.max_connections = HF_SERVER_MAX_CONNECTIONS - 1});
    ck_assert_int_eq(hf_server_new(loop, &more, &second, &err), -EMFILE);
    ck_assert_msg(strstr(err.cause, "2 connections") != NULL, "%s", err.cause);
    ck_assert_ptr_null(second);
    (void)open_second((struct hf_server_limits){.max_connections = 0}); /* the one that is left */
}
END_TEST

/* ---- answers that come later ------------------------------------------------------------------------------------- */

START_TEST(answers_inside_start)
{
    RUN(o, "/later?now", .method = "POST", .headers = {"Content-Encoding: zstd", "X-One: 1234567"},
        .body = HF_VIEW("12345"));
    ck_outcome(o, 0, 200);
    ck_assert_str_eq(o.body, "encoding=zstd one=1234567 body=5");
    RUN(none, "/later?now", .method = "POST");
    ck_outcome(none, 0, 200);
    ck_assert_str_eq(none.body, "encoding= one= body=0");
}
END_TEST

START_TEST(long_header)
{
    char header[600] = "Content-Type: ";

    memset(header + strlen(header), 'k', 500);
    RUN(o, "/later?now", .method = "POST", .headers = {header}, .body = HF_VIEW("x"));
    ck_outcome(o, 0, 431);
    ck_assert_uint_eq(n_begun, 0);
}
END_TEST

static const char post_later[] = "POST /later HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 3\r\n\r\nabc";

START_TEST(answers_later)
{
    char answer[4096];
    bool open;
    int fd = connect_raw();

    for (int i = 0; i < 3; i++) { /* over one connection */
        ck_assert_int_eq(write(fd, post_later, sizeof(post_later) - 1), (ssize_t)sizeof(post_later) - 1);
        loop_wait_for(loop, n_begun == 1);
        ck_assert_uint_eq(read_raw(fd, answer, sizeof(answer), &open), 0);
        ck_assert(open);
        answer_all("{\"n\":1}");
        ck_assert(read_until(fd, "{\"n\":1}", answer, sizeof(answer)));
        ck_assert_msg(strstr(answer, "HTTP/1.1 202") == answer, "%s", answer);
        ck_assert_ptr_nonnull(strcasestr(answer, "\r\nretry-after: 7\r\n"));
        ck_assert_ptr_nonnull(strcasestr(answer, "\r\nx-later: yes\r\n"));
        ck_assert_ptr_nonnull(strcasestr(answer, "\r\ncontent-type: application/json\r\n"));
        ck_assert_ptr_nonnull(strcasestr(answer, "\r\ncontent-length: 7\r\n"));
        ck_assert_str_eq(strstr(answer, "\r\n\r\n") + 4, "{\"n\":1}");
    }
    (void)close(fd);
}
END_TEST

/* The next request is there before the first one is answered: the first gets its answer, told that the connection ends
 * with it. */
START_TEST(pipelined_later)
{
    char answer[8192], all[8 * sizeof(post_later)] = "";
    size_t n = 0;
    int fd = connect_raw();

    for (int i = 0; i < 8; i++)
        n += (size_t)snprintf(all + n, sizeof(all) - n, "%s", post_later);
    ck_assert_int_eq(write(fd, all, n), (ssize_t)n);
    loop_wait_for(loop, n_begun == 1);
    loop_run_for(loop, 100 * MS);
    ck_assert_uint_eq(n_begun, 1); /* still: nothing is begun twice */
    answer_all("first");
    ck_assert(!read_until(fd, NULL, answer, sizeof(answer)));
    ck_assert_uint_eq(n_begun, 0);
    ck_assert_msg(strstr(answer, "HTTP/1.1 202") == answer && strstr(answer, "first") != NULL, "%s", answer);
    ck_assert_ptr_nonnull(strcasestr(answer, "\r\nconnection: close\r\n"));
    (void)close(fd);
}
END_TEST

/* The peer goes while its answer is made; the answer goes nowhere, and nobody else notices. */
START_TEST(peer_goes_meanwhile)
{
    int fds[20];

    for (size_t i = 0; i < HF_LEN(fds); i++) {
        fds[i] = connect_raw();
        ck_assert_int_eq(write(fds[i], post_later, sizeof(post_later) - 1), (ssize_t)sizeof(post_later) - 1);
    }
    loop_wait_for(loop, n_begun == HF_LEN(fds));
    unsigned before = count_descriptors();
    for (size_t i = 0; i < HF_LEN(fds); i += 2)
        (void)close(fds[i]);
    loop_wait_for(loop, count_descriptors() == before - HF_LEN(fds) / 2);
    answer_all("body of x");
    for (size_t i = 1; i < HF_LEN(fds); i += 4)
        (void)close(fds[i]); /* at the same moment */
    for (size_t i = 3; i < HF_LEN(fds); i += 4) {
        char answer[1024];
        bool open = read_until(fds[i], "body of x", answer, sizeof(answer));
        ck_assert_msg(strstr(answer, "202") != NULL && open, "%zu: '%s'", i, answer);
        (void)close(fds[i]);
    }
    RUN(next, "/hello");
    ck_outcome(next, 0, 200);
}
END_TEST

START_TEST(many_at_once)
{
    enum { MANY = 512 };
    int fds[MANY];
    char answer[1024];

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < MANY; i++) {
            if (round == 0)
                fds[i] = connect_raw();
            ck_assert_int_eq(write(fds[i], post_later, sizeof(post_later) - 1), (ssize_t)sizeof(post_later) - 1);
            if (i % 128 == 127)
                loop_run_for(loop, 5 * MS);
        }
        loop_wait_for(loop, n_begun == MANY);
        if (round == 0) {
            RUN(o, "/hello"); /* there is still a place for others */
            ck_outcome(o, 0, 200);
        }
        answer_all("body");
        for (size_t i = 0; i < MANY; i++) {
            bool open = read_until(fds[i], "body", answer, sizeof(answer));
            ck_assert_msg(strstr(answer, "202") != NULL && open, "%zu: '%s'", i, answer);
        }
    }
    for (size_t i = 0; i < MANY; i++)
        (void)close(fds[i]);
}
END_TEST

/* Write what the socket takes while the loop runs, until the server answers; the number of bytes it took. */
static size_t push(int fd, size_t n)
{
    static char chunk[65536];
    size_t done = 0;
    char byte;

    while (done < n) {
        ssize_t r = write(fd, chunk, HF_MIN(n - done, sizeof(chunk)));
        struct pollfd to = {.fd = fd, .events = POLLIN | POLLOUT};
        if (r > 0)
            done += (size_t)r;
        else if (errno != EAGAIN || recv(fd, &byte, 1, MSG_PEEK) >= 0 || !loop_run_until(loop, poll(&to, 1, 0) > 0))
            break;
    }
    return done;
}

/* Long bodies are bounded all together: the one too many is told to come again, short ones go on. */
START_TEST(bodies_are_bounded)
{
    static const char ask_first[] = "POST /later HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 4194304\r\n\r\n";
    char answer[1024];
    int fds[4];
    bool open;

    for (size_t i = 0; i < HF_LEN(fds); i++) {
        fds[i] = connect_raw();
        ck_assert_int_eq(write(fds[i], ask_first, sizeof(ask_first) - 1), (ssize_t)sizeof(ask_first) - 1);
        size_t want = i < 2 ? 3 << 20 : LATER_MAX;
        ck_assert_uint_eq(push(fds[i], want), want);
        loop_wait_for(loop, local->bodies_bytes == HF_MIN(i + 1, (size_t)2) * (3 << 20));
    }
    for (size_t i = 2; i < HF_LEN(fds); i++) {
        ck_assert(read_until(fds[i], "too many long bodies", answer, sizeof(answer))); /* and may ask again */
        ck_assert_msg(strstr(answer, "503") != NULL && strcasestr(answer, "retry-after: 1") != NULL, "%s", answer);
    }
    (void)read_raw(fds[0], answer, sizeof(answer), &open);
    ck_assert(open && answer[0] == '\0');
    RUN(small, "/later?now", .method = "POST", .body = HF_VIEW("short"));
    ck_outcome(small, 0, 200);
    close_all(fds + 1, 1);
    ck_assert_uint_eq(push(fds[0], 1 << 20), 1 << 20); /* the first one is taken whole */
    loop_wait_for(loop, n_begun == 1);
    ck_assert_msg(strstr(begun_text, "body=4194304") != NULL, "%s", begun_text);
    answer_all("ok");
    for (size_t i = 0; i < HF_LEN(fds); i++)
        if (i != 1)
            (void)close(fds[i]);
    for (int i = 0; i < 5; i++) { /* what was counted is given back */
        int fd = connect_raw();
        ck_assert_int_eq(write(fd, ask_first, sizeof(ask_first) - 1), (ssize_t)sizeof(ask_first) - 1);
        ck_assert_uint_eq(push(fd, LATER_MAX), LATER_MAX);
        loop_wait_for(loop, n_begun == 1);
        answer_all("body");
        (void)read_until(fd, "body", answer, sizeof(answer));
        (void)close(fd);
    }
}
END_TEST

#define REFUSED_HEAD(path, length, more)                                                                               \
    "POST " path " HTTP/1.1\r\nHost: [::1]\r\nContent-Length: " length "\r\n" more "\r\n"

static const struct {
    const char *head;
    size_t body_n; /* that the client sends before it reads */
    const char *want;
    bool stays_open;
} refused_bodies[] = {
    {REFUSED_HEAD("/echo", "2000000", ""), 2000000, "HTTP/1.1 413", true},
    {REFUSED_HEAD("/none", "2000000", ""), 2000000, "HTTP/1.1 404", true},
    {REFUSED_HEAD("/hello", "2000000", ""), 2000000, "HTTP/1.1 405", true},
    {REFUSED_HEAD("/echo", "2000000", "Origin: https://evil.example\r\n"), 2000000, "HTTP/1.1 403", true},
    {REFUSED_HEAD("/echo", "16777216", ""), 16777216, "HTTP/1.1 413", true},
    {REFUSED_HEAD("/echo", "16777217", ""), 0, "HTTP/1.1 413", false},
    {REFUSED_HEAD("/echo", "2000000", "Expect: 100-continue\r\n"), 0, "HTTP/1.1 413", false},
};

/* A client that sends its whole body before it reads learns why it was refused, and may ask again. */
START_TEST(refused_body_is_read)
{
    static const char ask[] = "GET /hello HTTP/1.1\r\nHost: [::1]\r\n\r\n";
    char answer[1024];
    int fd = connect_raw();
    size_t n = strlen(refused_bodies[_i].head);

    ck_assert_int_eq(write(fd, refused_bodies[_i].head, n), (ssize_t)n);
    ck_assert_uint_eq(push(fd, refused_bodies[_i].body_n), refused_bodies[_i].body_n);
    (void)read_until(fd, "}\n", answer, sizeof(answer));
    ck_assert_msg(strncmp(answer, refused_bodies[_i].want, strlen(refused_bodies[_i].want)) == 0, "%s", answer);
    ck_assert(local->bodies_bytes == 0);
    if (refused_bodies[_i].stays_open) {
        ck_assert_int_eq(write(fd, ask, sizeof(ask) - 1), (ssize_t)sizeof(ask) - 1);
        ck_assert(read_until(fd, "hello\n", answer, sizeof(answer)));
    } else {
        ck_assert_msg(strcasestr(answer, "connection: close") != NULL, "%s", answer);
        ck_assert(!read_until(fd, NULL, answer, sizeof(answer)));
    }
    (void)close(fd);
}
END_TEST

/* curl asks first when a body is long. */
START_TEST(expect_continue)
{
    static const char ask_first[] =
        "POST /later HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    char answer[1024];
    int fd = connect_raw();

    ck_assert_int_eq(write(fd, ask_first, sizeof(ask_first) - 1), (ssize_t)sizeof(ask_first) - 1);
    (void)read_until(fd, "\r\n\r\n", answer, sizeof(answer));
    ck_assert_str_eq(answer, "HTTP/1.1 100 Continue\r\n\r\n");
    ck_assert_int_eq(write(fd, "abc", 3), 3);
    loop_wait_for(loop, n_begun == 1);
    answer_all("body");
    (void)read_until(fd, "body", answer, sizeof(answer));
    ck_assert_msg(strstr(answer, "HTTP/1.1 202") == answer, "%s", answer);
    (void)close(fd);
}
END_TEST

/* The server, then the loop end before the answer comes. */
START_TEST(answers_after_the_end)
{
    int fds[3];

    for (size_t i = 0; i < HF_LEN(fds); i++) {
        fds[i] = connect_raw();
        ck_assert_int_eq(write(fds[i], post_later, sizeof(post_later) - 1), (ssize_t)sizeof(post_later) - 1);
    }
    loop_wait_for(loop, n_begun == 3);
    hf_server_free(local);
    hf_server_answer(begun[0], 200, NULL, NULL, HF_VIEW("x"));
    loop_run_for(loop, 20 * MS);
    hf_server_answer(begun[1], 200, NULL, NULL, HF_VIEW("x")); /* lies there when the loop ends */
    hf_http_client_free(client);
    client = NULL;
    hf_loop_free(loop);
    loop = NULL;
    hf_server_answer(begun[2], 200, NULL, NULL, HF_VIEW("x"));
    for (size_t i = 0; i < HF_LEN(fds); i++)
        (void)close(fds[i]);
}
END_TEST

/* The calls of lws' allocator, of which one fails. */
static struct {
    unsigned calls, fail_at; /* fail_at: 0 for none */
    char failed[64];         /* what the failed one was for */
} memory;

static void *lws_memory(void *p, size_t n, const char *what)
{
    if (n > 0 && memory.fail_at > 0 && ++memory.calls == memory.fail_at) {
        (void)snprintf(memory.failed, sizeof(memory.failed), "%s", what);
        return NULL;
    }
    if (n == 0) {
        free(p);
        return NULL;
    }
    p = realloc(p, n);
#ifdef __SANITIZE_ADDRESS__
    if (strcmp(what, "new server wsi") == 0) /* lws 4.1 loses it if there is no memory for its poll handle */
        __lsan_ignore_object(p);
#endif
    return p;
}

static struct hf_loop *never_ends;

/* lws gets no memory at any one call while it takes a connection over and answers it: this client may be turned away,
 * or wait until its time is over, and the server serves the next client. No descriptor and no memory of ours is lost,
 * or freed twice. */
START_TEST(lws_without_memory)
{
    static const char get[] = "GET /hello HTTP/1.0\r\n\r\n";
    char answer[512];
    bool hit = true;
    unsigned turned_away = 0;

    lws_set_allocator(lws_memory);
    {
        RUN(first, "/hello");
        ck_outcome(first, 0, 200);
    }
    unsigned before = count_descriptors();
    for (unsigned n = 1; hit; n++) {
        memory.calls = 0;
        memory.failed[0] = '\0';
        memory.fail_at = n;
        int fd = connect_raw();
        (void)!write(fd, get, sizeof(get) - 1);
        size_t got = 0;
        bool open = true;
        loop_wait_for(loop, (got += read_raw(fd, answer + got, sizeof(answer) - got, &open), !open) ||
                                memory.failed[0] != '\0');
        for (int turn = 0; turn < 50 && open; turn++) {
            loop_run_for(loop, MS);
            got += read_raw(fd, answer + got, sizeof(answer) - got, &open);
        }
        memory.fail_at = 0;
        hit = memory.failed[0] != '\0';
        ck_assert_msg(hit || strstr(answer, "hello") != NULL, "%s", answer);
        turned_away += got == 0 && !open;
        (void)close(fd);
        RUN(next, "/hello");
        ck_outcome(next, 0, 200);
        ck_assert_msg(loop_run_until(loop, count_descriptors() == before), "call %u (%s): %u descriptors, before %u", n,
                      memory.failed, count_descriptors(), before);
    }
    ck_assert_uint_gt(turned_away, 1);
    hf_http_client_free(client);
    client = NULL;
    never_ends = loop; /* lws 4.1 waits for the connection that it lost */
    loop = NULL;
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, serves);
    tcase_add_test(tc, passes_the_request);
    tcase_add_test(tc, head);
    tcase_add_loop_test(tc, refuses, 0, (int)HF_LEN(refusals));
    tcase_add_test(tc, longest_body);
    tcase_add_test(tc, big_reply);
    tcase_add_loop_test(tc, raw_request, 0, (int)HF_LEN(raw));
    tcase_add_test(tc, headers_beyond_the_limit);
    tcase_add_test(tc, slow_clients);
    tcase_add_test(tc, too_many_connections);
    tcase_add_test(tc, thousand_requests);
    tcase_add_test(tc, taken_port);
    tcase_add_test(tc, ends_with_connections);
    tcase_add_test(tc, answers_inside_start);
    tcase_add_test(tc, long_header);
    tcase_add_test(tc, answers_later);
    tcase_add_test(tc, pipelined_later);
    tcase_add_test(tc, peer_goes_meanwhile);
    tcase_add_test(tc, many_at_once);
    tcase_add_test(tc, bodies_are_bounded);
    tcase_add_test(tc, expect_continue);
    tcase_add_loop_test(tc, refused_body_is_read, 0, (int)HF_LEN(refused_bodies));
    tcase_add_test(tc, answers_after_the_end);
    tcase_add_test(tc, lws_without_memory);
    tcase_add_test(tc, working_directory_is_not_searched);
    tcase_add_test(tc, a_flooded_server_leaves_the_others_alone);
    tcase_add_test(tc, the_oldest_connection_makes_room);
    tcase_add_test(tc, slow_requests_time_out);
    tcase_add_test(tc, without_descriptors);
    tcase_add_test(tc, high_descriptors);
    tcase_add_test(tc, connections_are_reserved);
}

HF_TEST_MAIN("loop/server", cases)
