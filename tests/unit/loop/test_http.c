/* SPDX-License-Identifier: Apache-2.0 */
#include "http_fixture.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "loop/http/client.h"
#include "support/loop_for.h"

#define MS HF_NS_PER_MS

static void set_up(void)
{
    loop = hf_loop_new(NULL);
    hf_test_server_start(&server, NULL);
    use(&(struct hf_http_config){.user_agent = "holdfast-test/1"});
}

static void tear_down(void)
{
    hf_http_client_free(client);
    hf_loop_free(loop);
    hf_test_server_stop(&server);
}

#define RUN(o, path, ...)                                                                                              \
    _cleanup_(outcome_done) struct outcome o = {.done = 0};                                                            \
    ask(&o, (struct hf_http_request){__VA_ARGS__}, path)

/* ---- what comes back ------------------------------------------------------------------------------------------------- */

START_TEST(simple)
{
    RUN(o, "/hello", .on_response = keep_response);
    ck_outcome(o, 0, 200);
    ck_assert_str_eq(o.body, "hello\n");
    ck_assert_str_eq(o.response.content_type, "text/plain");
    ck_assert_str_eq(o.response.etag, "\"v1\"");
    ck_assert_int_eq(o.response.content_length, 6);
    ck_assert_uint_gt(o.response.date_unix_ns, 0);
    ck_assert_int_eq(o.heads, 1);
}
END_TEST

START_TEST(request_is_sent_whole)
{
    RUN(o, "/echo?a=b", .method = "PATCH", .headers = {"Content-Type: application/merge-patch+json", "X-One: 1"},
        .body = HF_VIEW("{\"a\":1}"));
    ck_outcome(o, 0, 200);
    static const char *const parts[] = {"\"method\": \"PATCH\"",    "/echo?a=b",     "application/merge-patch+json",
                                        "\"x-one\": \"1\"",         "{\\\"a\\\":1}", "holdfast-test/1",
                                        "\"content-length\": \"7\""};
    for (size_t i = 0; i < HF_LEN(parts); i++)
        ck_assert_msg(strstr(o.body, parts[i]) != NULL, "no %s in %s", parts[i], o.body);
    ck_assert_ptr_null(strstr(o.body, "expect"));
}
END_TEST

/* A server that is reached by its address gets the name that it is known by; another server gets its own. */
START_TEST(host_of_a_service)
{
    struct hf_test_server other;
    char path[128], own[64];

    RUN(o, "/echo", .headers = {"Host: files.site.svc.cluster.local"});
    ck_outcome(o, 0, 200);
    ck_assert_msg(strstr(o.body, "\"host\": \"files.site.svc.cluster.local\"") != NULL, "%s", o.body);
    hf_test_server_start(&other, NULL);
    (void)snprintf(path, sizeof(path), "/redirect?to=%s", url_of(&other, "/echo"));
    (void)snprintf(own, sizeof(own), "\"host\": \"127.0.0.1:%u\"", other.port);
    RUN(away, path, .headers = {"Host: files.site.svc.cluster.local"}, .follow_redirects = true);
    ck_outcome(away, 0, 200);
    ck_assert_msg(strstr(away.body, own) != NULL && strstr(away.body, "svc.cluster") == NULL, "%s", away.body);
    hf_test_server_stop(&other);
}
END_TEST

static const struct {
    const char *method;
    const char *want;
} bodiless[] = {{"POST", "\"content-length\": \"0\""},
                {"DELETE", "\"method\": \"DELETE\""},
                {"OPTIONS", "\"method\": \"OPTIONS\""}};

START_TEST(methods_without_body)
{
    RUN(o, "/echo", .method = bodiless[_i].method);
    ck_outcome(o, 0, 200);
    ck_assert_msg(strstr(o.body, bodiless[_i].want) != NULL, "%s", o.body);
    ck_assert_ptr_null(strstr(o.body, "content-type"));
}
END_TEST

START_TEST(head_has_no_body)
{
    RUN(o, "/size/99999999", .method = "HEAD", .max_body_bytes = 10);
    ck_outcome(o, 0, 200);
    ck_assert_int_eq(o.response.content_length, 99999999);
    ck_assert_uint_eq(o.body_n, 0);
}
END_TEST

START_TEST(ranges)
{
    RUN(o, "/size/1000", .headers = {"Range: bytes=400-", "If-Range: \"v1\""});
    ck_outcome(o, 0, 206);
    ck_assert_uint_eq(o.response.range_start, 400);
    ck_assert_uint_eq(o.response.range_total, 1000);
    ck_assert_uint_eq(o.body_n, 600);
    RUN(whole, "/size/1000", .headers = {"Range: bytes=400-", "If-Range: \"v0\""});
    ck_outcome(whole, 0, 200);
    ck_assert_uint_eq(whole.body_n, 1000);
    ck_assert_int_eq(memcmp(whole.body + 400, o.body, 600), 0);
}
END_TEST

START_TEST(one_byte_chunks)
{
    RUN(o, "/trickle/200", .on_body = keep_body);
    ck_outcome(o, 0, 200);
    ck_assert_uint_eq(o.streamed, 200);
    ck_assert_int_eq(o.response.content_length, -1);
    ck_assert_uint_eq(o.body_n, 0);
    RUN(collected, "/trickle/20");
    ck_assert_str_eq(collected.body, "01234567890123456789");
}
END_TEST

START_TEST(interim_response)
{
    RUN(o, "/continue", .on_response = keep_response);
    ck_outcome(o, 0, 200);
    ck_assert_int_eq(o.heads, 1);
    ck_assert_str_eq(o.body, "late\n");
}
END_TEST

START_TEST(until_the_connection_ends)
{
    RUN(o, "/no-length");
    ck_outcome(o, 0, 200);
    ck_assert_str_eq(o.body, "until the end\n");
}
END_TEST

START_TEST(retry_after)
{
    RUN(o, "/status/503?h=Retry-After:7");
    ck_outcome(o, 0, 503);
    ck_assert_uint_eq(o.response.retry_after_ns, 7 * HF_NS_PER_S);
    RUN(date, "/status/429?h=Date:Sun,+06+Nov+1994+08:49:30+GMT&h=Retry-After:Sun,+06+Nov+1994+08:49:37+GMT");
    ck_outcome(date, 0, 429);
    ck_assert_uint_eq(date.response.retry_after_ns, 7 * HF_NS_PER_S);
}
END_TEST

/* ---- what goes wrong ------------------------------------------------------------------------------------------------- */

static const struct {
    const char *path;
    int want_r;
    int want_status;
    const char *want_text; /* in the error */
    uint64_t max_body_bytes;
} failures[] = {
    {"/cut/1000", -EPIPE, 200, "/cut/1000", 0},
    {"/cut-chunk", -EPIPE, 200, "", 0},
    {"/garbage", -EPROTO, 0, "", 0},
    {"/huge-header", -E2BIG, 200, "65536", 0},
    {"/many-headers", -E2BIG, 200, "65536", 0},
    {"/size/1001", -E2BIG, 200, "1000", 1000},
    {"/trickle/1001", -E2BIG, 200, "1000", 1000},
    {"/endless", -E2BIG, 200, "16777216", 0},
    {"/silent", -ETIMEDOUT, 0, "2s", 0},
    {"/stall/10", -ETIMEDOUT, 200, "nothing received for 2s", 0},
};

START_TEST(failure)
{
    RUN(o, failures[_i].path, .idle_timeout_ns = (failures[_i].want_r == -ETIMEDOUT ? 2 : 20) * HF_NS_PER_S,
        .max_body_bytes = failures[_i].max_body_bytes);
    ck_outcome(o, failures[_i].want_r, failures[_i].want_status);
    ck_assert_msg(strstr(o.error, failures[_i].want_text) != NULL, "%s", o.error);
    ck_assert_msg(strstr(o.error, "GET http://127.0.0.1:") == o.error, "%s", o.error);
    RUN(next, "/hello"); /* the client is none the worse */
    ck_outcome(next, 0, 200);
}
END_TEST

START_TEST(exactly_the_limit)
{
    RUN(o, "/size/1000", .max_body_bytes = 1000);
    ck_outcome(o, 0, 200);
    ck_assert_uint_eq(o.body_n, 1000);
}
END_TEST

START_TEST(whole_timeout)
{
    RUN(o, "/trickle/100000?ms=5", .timeout_ns = 2500 * MS, .idle_timeout_ns = 2 * HF_NS_PER_S, .on_body = keep_body);
    ck_outcome(o, -ETIMEDOUT, 200);
    ck_assert_msg(strstr(o.error, "not finished within 2.500s") != NULL, "%s", o.error);
    ck_assert_uint_ge(o.took_ns, 2500 * MS);
    ck_assert_uint_lt(o.took_ns, 60 * HF_NS_PER_S); /* all would take 500 s */
    ck_assert_uint_gt(o.streamed, 5);               /* bytes kept the idle time from ending it */
}
END_TEST

static uint16_t closed_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, n), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    (void)close(fd);
    return ntohs(address.sin_port);
}

START_TEST(refused)
{
    char url[64];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", closed_port());
    RUN(o, NULL, .url = url);
    ck_outcome(o, -ECONNREFUSED, 0);
}
END_TEST

START_TEST(no_such_host)
{
    RUN(o, NULL, .url = "http://no-such-host.invalid/", .timeout_ns = 20 * HF_NS_PER_S);
    ck_assert_msg(o.r == -EDESTADDRREQ, "%d %s", o.r, o.error);
}
END_TEST

static const struct {
    const char *method;
    const char *url;
    const char *header;
} refusals[] = {
    {"GET", "ftp://127.0.0.1/", NULL},
    {"GET", "file:///etc/passwd", NULL},
    {"GET", "127.0.0.1", NULL},
    {"GET", "http://", NULL},
    {"GET", "", NULL},
    {"get", "http://127.0.0.1/", NULL},
    {"GET /x", "http://127.0.0.1/", NULL},
    {"", "http://127.0.0.1/", NULL},
    {"GET", "http://127.0.0.1/", "X: a\r\nY: b"},
    {"GET", "http://127.0.0.1/", "nothing"},
    {"GET", "http://127.0.0.1:99999/", NULL},
};

START_TEST(refuses_to_start)
{
    struct hf_http_request request = {
        .method = refusals[_i].method, .url = refusals[_i].url, .headers = {refusals[_i].header}, .done = keep_end};
    struct hf_http_call *call = (void *)1;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(http->start(http->ctx, &request, &call, &err), -EINVAL);
    ck_assert_ptr_eq(call, (void *)1);
    ck_assert(err.cause[0] != '\0');
}
END_TEST

START_TEST(secrets_stay_out_of_errors)
{
    char url[128];

    (void)snprintf(url, sizeof(url), "http://user:secret@127.0.0.1:%u/path?token=secret#secret", closed_port());
    RUN(o, NULL, .url = url);
    ck_assert_int_eq(o.r, -ECONNREFUSED);
    ck_assert_msg(strstr(o.error, "secret") == NULL && strstr(o.error, "/path") != NULL, "%s", o.error);
}
END_TEST

/* ---- redirects ------------------------------------------------------------------------------------------------------- */

START_TEST(redirect_followed)
{
    RUN(o, "/redirect?to=/hello&body=5000", .follow_redirects = true, .on_response = keep_response,
        .on_body = keep_body);
    ck_outcome(o, 0, 200);
    ck_assert_int_eq(o.heads, 1);
    ck_assert_uint_eq(o.streamed, 6); /* nothing of the redirect's own body */
    RUN(long_one, "/redirect?to=/hello&body=500000", .follow_redirects = true, .on_body = keep_body);
    ck_outcome(long_one, 0, 200);
    ck_assert_uint_eq(long_one.streamed, 6);
    RUN(not, "/redirect?to=/hello");
    ck_outcome(not, 0, 302);
}
END_TEST

static const struct {
    const char *method;
    int status;
    const char *want;
} changes[] = {
    {"POST", 301, "\"method\": \"GET\""}, {"POST", 302, "\"method\": \"GET\""},  {"POST", 303, "\"method\": \"GET\""},
    {"PUT", 303, "\"method\": \"GET\""},  {"POST", 307, "\"method\": \"POST\""}, {"PUT", 308, "\"body\": \"payload\""},
    {"GET", 302, "\"method\": \"GET\""},
};

START_TEST(redirect_methods)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/redirect?to=/echo&status=%d", changes[_i].status);
    RUN(o, path, .method = changes[_i].method, .body = HF_VIEW("payload"), .follow_redirects = true);
    ck_outcome(o, 0, 200);
    ck_assert_msg(strstr(o.body, changes[_i].want) != NULL, "%s", o.body);
}
END_TEST

START_TEST(redirect_loop)
{
    RUN(o, "/loop", .follow_redirects = true);
    ck_outcome(o, -EPROTO, 302);
    ck_assert_msg(strstr(o.error, "more than 5 redirects") != NULL, "%s", o.error);
}
END_TEST

START_TEST(redirect_to_other_schemes)
{
    RUN(o, "/redirect?to=file:///etc/passwd", .follow_redirects = true);
    ck_outcome(o, -EPROTO, 302);
    RUN(none, "/redirect?to=http://", .follow_redirects = true);
    ck_outcome(none, -EPROTO, 302);
}
END_TEST

/* Credentials go to their origin only: neither the token nor what the caller itself put into the headers goes along. */
START_TEST(redirect_leaves_credentials)
{
    struct hf_test_server other;
    char origin[64], path[128];

    hf_test_server_start(&other, NULL);
    (void)snprintf(origin, sizeof(origin), "http://127.0.0.1:%u", server.port);
    use(&(struct hf_http_config){.bearer_token = "tok-en", .origin = origin});
    (void)snprintf(path, sizeof(path), "/redirect?to=%s", url_of(&other, "/echo"));
    RUN(away, path, .headers = {"Cookie: a=b", "Accept: x/y"}, .follow_redirects = true);
    ck_outcome(away, 0, 200);
    ck_assert_msg(strstr(away.body, "tok-en") == NULL && strstr(away.body, "a=b") == NULL, "%s", away.body);
    ck_assert_ptr_nonnull(strstr(away.body, "x/y"));
    RUN(home, "/redirect?to=/echo", .headers = {"Cookie: a=b"}, .follow_redirects = true);
    ck_assert_msg(strstr(home.body, "Bearer tok-en") != NULL && strstr(home.body, "a=b") != NULL, "%s", home.body);
    RUN(direct, NULL, .url = url_of(&other, "/echo"));
    ck_assert_msg(strstr(direct.body, "tok-en") == NULL, "%s", direct.body);
    /* There and back again: the token is for its origin, what was left behind stays there. */
    (void)snprintf(path, sizeof(path), "/redirect?to=http://127.0.0.1:%u/redirect?to=%s/echo", other.port, origin);
    RUN(back, path, .headers = {"Cookie: a=b"}, .follow_redirects = true);
    ck_assert_msg(strstr(back.body, "tok-en") != NULL && strstr(back.body, "a=b") == NULL, "%s", back.body);
    hf_test_server_stop(&other);
}
END_TEST

START_TEST(token_is_taken_anew)
{
    char origin[64];

    (void)snprintf(origin, sizeof(origin), "HTTP://127.0.0.1:%u/", server.port);
    use(&(struct hf_http_config){.bearer_token = "first", .origin = origin});
    RUN(one, "/echo");
    ck_assert_ptr_nonnull(strstr(one.body, "Bearer first"));
    ck_assert_int_eq(
        hf_http_client_update(client, &(struct hf_http_config){.bearer_token = "second", .origin = origin}, NULL), 0);
    RUN(two, "/echo");
    ck_assert_ptr_nonnull(strstr(two.body, "Bearer second"));
    struct hf_err err = HF_ERR_INIT;
    ck_assert_int_eq(hf_http_client_update(client, &(struct hf_http_config){.bearer_token = "x\r\ny"}, &err), -EBADMSG);
    RUN(three, "/echo"); /* a bad configuration changes nothing */
    ck_assert_ptr_nonnull(strstr(three.body, "Bearer second"));
    RUN(stats, "/stats");
    ck_assert_msg(strstr(stats.body, "\"connections\": 1,") != NULL, "%s", stats.body); /* the connection was kept */
}
END_TEST

/* ---- cancel, pause, refusal: in every state ---------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *path;
    uint64_t after_ns; /* run for so long before the cancel */
} cancels[] = {
    {"before it began", "/hello", 0},
    {"connecting", "/silent", 1},
    {"waiting for the head", "/silent", 50 * MS},
    {"receiving", "/trickle/1000?ms=5", 100 * MS},
    {"stalled", "/stall/100", 100 * MS},
};

START_TEST(cancel_from_outside)
{
    struct outcome o = {.done = 0};

    dispatch(&o, (struct hf_http_request){.url = url_of(&server, cancels[_i].path), .on_body = keep_body});
    if (cancels[_i].after_ns > 0)
        loop_run_for(loop, cancels[_i].after_ns);
    http->cancel(http->ctx, o.call);
    loop_run_for(loop, 50 * MS);
    ck_assert_msg(o.done == 0, "%s: done was called", cancels[_i].name);
    http->cancel(http->ctx, NULL);
    RUN(next, "/hello");
    ck_outcome(next, 0, 200);
}
END_TEST

START_TEST(cancel_inside_on_body)
{
    struct outcome o = {.cancel_at = 1};

    ask(&o, (struct hf_http_request){.on_body = keep_body}, "/endless");
    loop_run_for(loop, 20 * MS);
    ck_assert_int_eq(o.done, 0);
    RUN(next, "/hello");
    ck_outcome(next, 0, 200);
}
END_TEST

START_TEST(client_freed_inside_on_body)
{
    struct outcome o = {.free_client = true}, other = {.done = 0};

    dispatch(&other, (struct hf_http_request){.url = url_of(&server, "/silent")});
    ask(&o, (struct hf_http_request){.on_body = keep_body}, "/endless");
    loop_run_for(loop, 20 * MS);
    ck_assert_int_eq(o.done + other.done, 0);
}
END_TEST

static void free_client_at_end(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                               const struct hf_err *err)
{
    keep_end(arg, r, response, body, err);
    hf_http_client_free(client);
    client = NULL;
}

START_TEST(client_freed_inside_done)
{
    struct outcome o = {.done = 0};
    struct hf_http_request request = {
        .method = "GET", .url = url_of(&server, "/hello"), .done = free_client_at_end, .arg = &o};

    ck_assert_int_eq(http->start(http->ctx, &request, &o.call, NULL), 0);
    hf_loop_run(loop);
    ck_assert_int_eq(o.done, 1);
    outcome_done(&o);
}
END_TEST

START_TEST(refused_by_the_receiver)
{
    _cleanup_(outcome_done) struct outcome head = {.on_response_r = -EDOM};
    ask(&head, (struct hf_http_request){.on_response = keep_response}, "/hello");
    ck_outcome(head, -EDOM, 200);
    _cleanup_(outcome_done) struct outcome positive = {.on_response_r = EDOM};
    ask(&positive, (struct hf_http_request){.on_response = keep_response}, "/hello");
    ck_outcome(positive, -EDOM, 200);
    _cleanup_(outcome_done) struct outcome body = {.refuse_at = 100000};
    ask(&body, (struct hf_http_request){.on_body = keep_body}, "/endless");
    ck_outcome(body, -EDOM, 200);
}
END_TEST

/* Paused, nothing more comes and silence is no fault; afterwards every byte is there. */
START_TEST(pause_and_go_on)
{
    _cleanup_(outcome_done) struct outcome o = {.pause_at = 100000};

    dispatch(&o, (struct hf_http_request){.url = url_of(&server, "/size/8000000"),
                                          .on_body = keep_body,
                                          .idle_timeout_ns = 2 * HF_NS_PER_S});
    loop_wait_for(loop, o.streamed >= 100000);
    loop_run_for(loop, 2500 * MS);
    ck_assert_int_eq(o.done, 0);
    ck_assert_uint_lt(o.streamed, 200000);
    uint64_t before = o.streamed;
    http->pause(http->ctx, o.call, false);
    ck_assert_uint_eq(o.streamed, before); /* not inside the call */
    hf_loop_run(loop);
    ck_outcome(o, 0, 200);
    ck_assert_uint_eq(o.streamed, 8000000);
}
END_TEST

/* What the client knows of the network comes from its own calls. */
START_TEST(traffic_is_measured)
{
    _cleanup_(outcome_done) struct outcome o = {.done = 0};
    struct hf_http_traffic before = hf_http_client_traffic(client);

    ck_assert_uint_eq(before.sent_bytes + before.received_bytes + before.round_trip_ns, 0);
    dispatch(&o, (struct hf_http_request){.url = url_of(&server, "/stall/10"), .on_body = keep_body});
    loop_wait_for(loop, o.streamed == 10 && hf_http_client_traffic(client).round_trip_ns > 0);
    struct hf_http_traffic running = hf_http_client_traffic(client);
    ck_assert_uint_lt(running.round_trip_ns, HF_NS_PER_S);
    ck_assert_uint_gt(running.received_bytes, 10);
    ck_assert_uint_lt(running.received_bytes, 1000);
    http->cancel(http->ctx, o.call);
    loop_wait_for(loop, hf_http_client_traffic(client).round_trip_ns == 0);
    RUN(whole, "/size/8000000", .method = "POST", .body = HF_VIEW("0123456789"));
    ck_outcome(whole, 0, 200);
    struct hf_http_traffic after = hf_http_client_traffic(client);
    ck_assert_uint_ge(after.received_bytes, 8000000);
    ck_assert_uint_lt(after.received_bytes, 8002000);
    ck_assert_uint_ge(after.sent_bytes - running.sent_bytes, 10 + strlen("POST/size/8000000"));
    ck_assert_uint_lt(after.sent_bytes - running.sent_bytes, 1000);
}
END_TEST

START_TEST(pause_and_cancel)
{
    _cleanup_(outcome_done) struct outcome o = {.pause_at = 1};

    dispatch(&o, (struct hf_http_request){.url = url_of(&server, "/endless"), .on_body = keep_body});
    loop_wait_for(loop, o.streamed > 0);
    http->pause(http->ctx, o.call, false);
    http->cancel(http->ctx, o.call);
    loop_run_for(loop, 50 * MS);
    ck_assert_int_eq(o.done, 0);
}
END_TEST

START_TEST(paused_call_still_has_a_deadline)
{
    _cleanup_(outcome_done) struct outcome o = {.pause_at = 1};

    ask(&o, (struct hf_http_request){.on_body = keep_body, .timeout_ns = 2 * HF_NS_PER_S}, "/endless");
    ck_outcome(o, -ETIMEDOUT, 200);
}
END_TEST

START_TEST(loop_ends_with_calls_running)
{
    static const char *const paths[] = {"/silent", "/endless", "/hello", "/stall/10", "/trickle/1000?ms=1"};
    struct outcome o[HF_LEN(paths)];

    for (size_t i = 0; i < HF_LEN(paths); i++) {
        o[i] = (struct outcome){.done = 0};
        dispatch(&o[i], (struct hf_http_request){
                            .url = url_of(&server, paths[i]), .on_body = keep_body, .max_body_bytes = UINT64_MAX});
    }
    loop_run_for(loop, 30 * MS);
    hf_loop_free(loop); /* client and calls are left to it */
    loop = NULL;
    client = NULL;
    for (size_t i = 0; i < HF_LEN(paths); i++)
        outcome_done(&o[i]);
}
END_TEST

/* ---- limits on the way ------------------------------------------------------------------------------------------------ */

static const uint64_t limits[] = {20000, 100000, 1000000, 20000000};

/* One and a half seconds' worth takes as long, and the silence in between is not the peer's. */
START_TEST(bandwidth)
{
    uint64_t n = limits[_i] * 3 / 2;
    char path[64];

    (void)snprintf(path, sizeof(path), "/size/%llu", (unsigned long long)n);
    /* less what may come at once: the burst, and one piece of 16 KiB beyond what is paid for */
    uint64_t least_ms = 1400 - HF_MIN(1000 * 16384 / limits[_i], 900ull), took_ms;
    int attempts = 0;
    do { /* again, where the machine is busy with other things */
        RUN(o, path, .bandwidth_limit = limits[_i], .on_body = keep_body, .idle_timeout_ns = 600 * MS,
            .max_body_bytes = UINT64_MAX);
        took_ms = UINT64_MAX;
        if (o.r == -ETIMEDOUT) /* the server is too slow for its idle time */
            continue;
        ck_outcome(o, 0, 200);
        ck_assert_uint_eq(o.streamed, n);
        took_ms = o.took_ns / MS;
        ck_assert_msg(took_ms >= least_ms, "took %llu ms", (unsigned long long)took_ms);
    } while (took_ms >= 2500 && ++attempts < 10);
    ck_assert_msg(took_ms < 2500, "took %llu ms", (unsigned long long)took_ms);
}
END_TEST

START_TEST(many_at_once)
{
    int left = 50;
    struct outcome o[50];

    for (int i = 0; i < 50; i++) {
        o[i] = (struct outcome){.left = &left};
        dispatch(&o[i], (struct hf_http_request){.url = url_of(&server, "/size/20000")});
    }
    hf_loop_run(loop);
    for (int i = 0; i < 50; i++) {
        ck_outcome(o[i], 0, 200);
        ck_assert_uint_eq(o[i].body_n, 20000);
        outcome_done(&o[i]);
    }
}
END_TEST

static int count_answered(const struct outcome *o, int n)
{
    int answered = 0;

    for (int i = 0; i < n; i++)
        answered += o[i].streamed > 0;
    return answered;
}

/* Calls beyond the limit of connections wait for a free one. */
START_TEST(connections_are_bounded)
{
    static struct outcome o[50];

    for (int i = 0; i < 50; i++)
        dispatch(&o[i], (struct hf_http_request){.url = url_of(&server, "/stall/1"), .on_body = keep_body});
    loop_wait_for(loop, count_answered(o, 50) >= 32);
    loop_run_for(loop, 100 * MS);
    ck_assert_int_eq(count_answered(o, 50), 32);
    for (int i = 0; i < 50; i++)
        if (o[i].streamed > 0)
            http->cancel(http->ctx, o[i].call);
    loop_wait_for(loop, count_answered(o, 50) == 50);
    for (int i = 0; i < 50; i++)
        ck_assert_uint_eq(o[i].streamed, 1);
}
END_TEST

START_TEST(connection_is_kept)
{
    for (int i = 0; i < 5; i++) {
        RUN(o, "/hello");
        ck_outcome(o, 0, 200);
    }
    RUN(stats, "/stats");
    ck_assert_msg(strstr(stats.body, "\"connections\": 1,") != NULL, "%s", stats.body);
}
END_TEST

/* The proxy of the environment is not for our own machine. */
START_TEST(loopback_without_proxy)
{
    (void)setenv("http_proxy", "http://127.0.0.1:9", 1);
    RUN(o, "/hello");
    ck_outcome(o, 0, 200);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, simple);
    tcase_add_test(tc, request_is_sent_whole);
    tcase_add_test(tc, host_of_a_service);
    tcase_add_loop_test(tc, methods_without_body, 0, (int)HF_LEN(bodiless));
    tcase_add_test(tc, head_has_no_body);
    tcase_add_test(tc, ranges);
    tcase_add_test(tc, one_byte_chunks);
    tcase_add_test(tc, interim_response);
    tcase_add_test(tc, until_the_connection_ends);
    tcase_add_test(tc, retry_after);
    tcase_add_loop_test(tc, failure, 0, (int)HF_LEN(failures));
    tcase_add_test(tc, exactly_the_limit);
    tcase_add_test(tc, whole_timeout);
    tcase_add_test(tc, refused);
    tcase_add_test(tc, no_such_host);
    tcase_add_loop_test(tc, refuses_to_start, 0, (int)HF_LEN(refusals));
    tcase_add_test(tc, secrets_stay_out_of_errors);
    tcase_add_test(tc, redirect_followed);
    tcase_add_loop_test(tc, redirect_methods, 0, (int)HF_LEN(changes));
    tcase_add_test(tc, redirect_loop);
    tcase_add_test(tc, redirect_to_other_schemes);
    tcase_add_test(tc, redirect_leaves_credentials);
    tcase_add_test(tc, token_is_taken_anew);
    tcase_add_loop_test(tc, cancel_from_outside, 0, (int)HF_LEN(cancels));
    tcase_add_test(tc, cancel_inside_on_body);
    tcase_add_test(tc, client_freed_inside_on_body);
    tcase_add_test(tc, client_freed_inside_done);
    tcase_add_test(tc, refused_by_the_receiver);
    tcase_add_test(tc, pause_and_go_on);
    tcase_add_test(tc, traffic_is_measured);
    tcase_add_test(tc, pause_and_cancel);
    tcase_add_test(tc, paused_call_still_has_a_deadline);
    tcase_add_test(tc, loop_ends_with_calls_running);
    tcase_add_loop_test(tc, bandwidth, 0, (int)HF_LEN(limits));
    tcase_add_test(tc, many_at_once);
    tcase_add_test(tc, connections_are_bounded);
    tcase_add_test(tc, connection_is_kept);
    tcase_add_test(tc, loopback_without_proxy);
}

HF_TEST_MAIN("loop/http", cases)
