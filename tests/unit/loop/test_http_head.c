/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/http/head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop/http/url.h"
#include "support/check_main.h"

#define NOW_NS (784111777ull * HF_NS_PER_S) /* Sun, 06 Nov 1994 08:49:37 GMT */

/* All lines of a head; returns what the last gave. */
static int feed(struct hf_http_head *head, const char *lines)
{
    struct hf_view rest = hf_view_of(lines), line;
    int r = 0;

    *head = (struct hf_http_head){.response = {.content_length = -1}};
    while (r == 0 && rest.n > 0 && hf_view_split(&rest, '\n', &line))
        r = hf_http_head_line(head, line, NOW_NS);
    return r;
}

static const struct {
    const char *lines;
    int want_r, want_status;
} heads[] = {
    {"HTTP/1.1 200 OK\r\n\r\n", 1, 200},
    {"HTTP/2 204 \r\n\r\n", 1, 204},
    {"HTTP/1.1 404\r\n\r\n", 1, 404},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nx: y\r\n\r\nHTTP/1.1 201 Made\r\n\r\n", 1, 201},
    {"HTTP/1.1 200 OK\r\n", 0, 200},
    {"\r\n\r\n", 0, 0},
    {"HTTP/1.1\r\n", -EPROTO, 0},
    {"HTTP/1.1 20 OK\r\n", -EPROTO, 0},
    {"HTTP/1.1 2000 OK\r\n", -EPROTO, 0},
    {"HTTP/1.1 abc OK\r\n", -EPROTO, 0},
    {"HTTP/1.1 099 OK\r\n", -EPROTO, 0},
    {"HTTP/1.1 200 OK\r\nno colon here\r\n folded: x\r\n\r\n", 1, 200},
};

START_TEST(status)
{
    struct hf_http_head head;
    int r = feed(&head, heads[_i].lines);

    ck_assert_msg(r == heads[_i].want_r && head.response.status == heads[_i].want_status, "%s: %d, %d", heads[_i].lines,
                  r, head.response.status);
    ck_assert_int_eq(head.complete, r == 1);
    if (r == 1) /* trailers change nothing */
        ck_assert_int_eq(hf_http_head_line(&head, HF_VIEW("Content-Length: 7\r\n"), NOW_NS), 0);
    ck_assert_int_eq(head.response.content_length, -1);
    hf_http_head_done(&head);
}
END_TEST

static const struct {
    const char *field;
    const char *status;
    int64_t length;
    uint64_t range_start, range_total, retry_s;
} fields[] = {
    {"Content-Length: 12", "200", 12, 0, 0, 0},
    {"content-length:12", "200", 12, 0, 0, 0},
    {"Content-Length: -1", "200", -1, 0, 0, 0},
    {"Content-Length: 99999999999999999999", "200", -1, 0, 0, 0},
    {"Content-Length: 1, 1", "200", -1, 0, 0, 0},
    {"Content-Length:", "200", -1, 0, 0, 0},
    {"Content-Range: bytes 5-9/10", "206", -1, 5, 10, 0},
    {"Content-Range: bytes 5-9/*", "206", -1, 5, 0, 0},
    {"Content-Range: bytes 5-9/10", "200", -1, 0, 10, 0},
    {"Content-Range: bytes */10", "416", -1, 0, 0, 0},
    {"Content-Range: lines 5-9/10", "206", -1, 0, 0, 0},
    {"Content-Range: bytes 5-9", "206", -1, 0, 0, 0},
    {"Content-Range: bytes x-9/10", "206", -1, 0, 0, 0},
    {"Content-Range: bytes 5-9/x", "206", -1, 0, 0, 0},
    {"Retry-After: 30", "503", -1, 0, 0, 30},
    {"Retry-After: 0", "503", -1, 0, 0, 0},
    {"Retry-After: 99999999999", "503", -1, 0, 0, 86400},
    {"Retry-After: Sun, 06 Nov 1994 08:50:37 GMT", "503", -1, 0, 0, 60},
    {"Retry-After: Sun, 06 Nov 1994 08:49:00 GMT", "503", -1, 0, 0, 0},
    {"Retry-After: Sun, 06 Nov 2094 08:49:00 GMT", "503", -1, 0, 0, 86400},
    {"Retry-After: soon", "503", -1, 0, 0, 0},
    {"Date: Sun, 06 Nov 1994 08:49:27 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT", "503", -1, 0, 0, 10},
    {"Date: a very long date that nobody would ever write into a header", "200", -1, 0, 0, 0},
};

START_TEST(field)
{
    struct hf_http_head head;
    char lines[512];

    (void)snprintf(lines, sizeof(lines), "HTTP/1.1 %s X\r\n%s\r\n\r\n", fields[_i].status, fields[_i].field);
    ck_assert_int_eq(feed(&head, lines), 1);
    const struct hf_http_response *r = &head.response;
    ck_assert_msg(r->content_length == fields[_i].length && r->range_start == fields[_i].range_start &&
                      r->range_total == fields[_i].range_total && r->retry_after_ns == fields[_i].retry_s * HF_NS_PER_S,
                  "%s: %lld %llu/%llu %llu", fields[_i].field, (long long)r->content_length,
                  (unsigned long long)r->range_start, (unsigned long long)r->range_total,
                  (unsigned long long)(r->retry_after_ns / HF_NS_PER_S));
    hf_http_head_done(&head);
}
END_TEST

START_TEST(long_values)
{
    struct hf_http_head head;
    char lines[HF_HTTP_LOCATION + 512], value[HF_HTTP_LOCATION + 2];

    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    (void)snprintf(lines, sizeof(lines), "HTTP/1.1 200 X\r\nETag: %.255s\r\nContent-Type: %.256s\r\n\r\n", value,
                   value);
    ck_assert_int_eq(feed(&head, lines), 1);
    ck_assert_uint_eq(strlen(head.response.etag), 255);
    ck_assert_str_eq(head.response.content_type, ""); /* left out, not cut */
    (void)snprintf(lines, sizeof(lines), "HTTP/1.1 302 X\r\nLocation: /a\r\nLocation: %.*s\r\n\r\n", HF_HTTP_LOCATION,
                   value);
    ck_assert_int_eq(feed(&head, lines), 1);
    ck_assert_uint_eq(strlen(head.location), HF_HTTP_LOCATION);
    hf_http_head_done(&head);
    (void)snprintf(lines, sizeof(lines), "HTTP/1.1 302 X\r\nLocation: %s\r\n\r\n", value);
    ck_assert_int_eq(feed(&head, lines), -E2BIG);
    hf_http_head_done(&head);
}
END_TEST

/* ---- URLs ------------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *url;
    const char *origin; /* NULL: refused */
    bool loopback;
} urls[] = {
    {"https://Example.COM/a", "https://example.com:443", false},
    {"http://example.com:8080", "http://example.com:8080", false},
    {"HTTP://user:pass@127.0.0.2/x", "http://127.0.0.2:80", true},
    {"http://[::1]:10550/", "http://[::1]:10550", true},
    {"http://localhost/", "http://localhost:80", true},
    {"http://localhost.example.com/", "http://localhost.example.com:80", false},
    {"http://LOCALHOST/", "http://localhost:80", true},
    {"http://127.evil.example/", "http://127.evil.example:80", false},
    {"http://127.0.0.1.evil.example/", "http://127.0.0.1.evil.example:80", false},
    {"http://127.0.0.1:80@evil.example/", "http://evil.example:80", false},
    {"http://128.0.0.1/", "http://128.0.0.1:80", false},
    {"ftp://example.com/", NULL, false},
    {"//example.com/", NULL, false},
    {"/path", NULL, false},
    {"https://", NULL, false},
    {"https://a b/", NULL, false},
    {"https://example.com:0/", NULL, false},
    {"http://exampl%65.com/", "http://example.com:80", false},
    {"http://2130706433/", "http://127.0.0.1:80", true},
    {"http://%32130706433/", NULL, false},
    {"http://%2531.example/", NULL, false},
    {"https://example.com:65536/", NULL, false},
};

START_TEST(origin)
{
    struct hf_url_parts parts = {.port = 7};
    int r = hf_url_split(urls[_i].url, &parts, NULL);

    if (urls[_i].origin == NULL) {
        ck_assert_msg(r == -EINVAL && parts.port == 7, "%s: %d", urls[_i].url, r);
        return;
    }
    ck_assert_msg(r == 0 && strcmp(parts.origin, urls[_i].origin) == 0, "%s: %d %s", urls[_i].url, r, parts.origin);
    ck_assert_int_eq(parts.loopback, urls[_i].loopback);
}
END_TEST

static const struct {
    const char *base, *location, *want; /* NULL: refused */
} joins[] = {
    {"https://a.example/x/y", "z", "https://a.example/x/z"},
    {"https://a.example/x/y", "/z?q", "https://a.example/z?q"},
    {"https://a.example/x", "//b.example/z", "https://b.example/z"},
    {"https://a.example/x", "http://b.example/", "http://b.example/"},
    {"https://a.example/x", "?q=1", "https://a.example/x?q=1"},
    {"https://a.example/x", "/y#frag", "https://a.example/y"},
    {"https://a.example/x", "http://", NULL},
    {"rubbish", "/y", NULL},
};

START_TEST(join)
{
    _cleanup_(hf_freep) char *url = NULL;
    int r = hf_url_join(joins[_i].base, joins[_i].location, &url, NULL);

    if (joins[_i].want == NULL)
        ck_assert_int_eq(r, -EPROTO);
    else
        ck_assert_msg(r == 0 && strcmp(url, joins[_i].want) == 0, "%s + %s: %d %s", joins[_i].base, joins[_i].location,
                      r, url != NULL ? url : "-");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, status, 0, (int)HF_LEN(heads));
    tcase_add_loop_test(tc, field, 0, (int)HF_LEN(fields));
    tcase_add_test(tc, long_values);
    tcase_add_loop_test(tc, origin, 0, (int)HF_LEN(urls));
    tcase_add_loop_test(tc, join, 0, (int)HF_LEN(joins));
}

HF_TEST_MAIN("loop/http_head", cases)
