/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror/request.h"

#include <string.h>

#include "support/check_main.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GET(target) "GET " target " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

static const struct {
    const char *head;
    int want;
    enum hf_mirror_kind kind;
    const char *registry, *name, *reference;
} requests[] = {
    {GET("/v2/"), 0, HF_MIRROR_PING, "", "", ""},
    {GET("/v2/library/debian/manifests/12?ns=images.example"), 0, HF_MIRROR_MANIFEST, "images.example",
     "library/debian", "12"},
    {"HEAD /v2/a/manifests/v1.2_3-x?ns=r.example%3A5000 HTTP/1.1\r\n\r\n", 0, HF_MIRROR_MANIFEST, "r.example:5000", "a",
     "v1.2_3-x"},
    {GET("/v2/a/b/c/blobs/" DIGEST "?ns=r"), 0, HF_MIRROR_BLOB, "r", "a/b/c", DIGEST},
    {GET("/v2/a/manifests/" DIGEST "?ns=r"), 0, HF_MIRROR_MANIFEST, "r", "a", DIGEST},
    {GET("/v2/a/manifests/sha256%3A0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef?ns=r"), 0,
     HF_MIRROR_MANIFEST, "r", "a", DIGEST},
    {GET("/v2/a/referrers/" DIGEST "?ns=r&artifactType=application/vnd.x"), 0, HF_MIRROR_REFERRERS, "r", "a", DIGEST},
    {GET("/v2/blobs/manifests/blobs/" DIGEST "?ns=r"), 0, HF_MIRROR_BLOB, "r", "blobs/manifests", DIGEST},
    /* not ours, perhaps the next host's */
    {GET("/v2/a/manifests/12"), 404, HF_MIRROR_MANIFEST, "", "a", "12"},
    {GET("/v2/a/blobs/sha512:00?ns=r"), 404, HF_MIRROR_BLOB, "r", "a", "sha512:00"},
    {GET("/v2/a/blobs/sha256:0123?ns=r"), 404, HF_MIRROR_BLOB, "r", "a", "sha256:0123"},
    {GET("/v2/a/tags/list?ns=r"), 404, HF_MIRROR_PING, "r", "", ""},
    {GET("/"), 404, HF_MIRROR_PING, "", "", ""},
    {GET("/v2/a/manifests/12?ns=r/../b"), 404, HF_MIRROR_MANIFEST, "r/../b", "a", "12"},
    {GET("/v2/a/manifests/12?ns=user@r"), 404, HF_MIRROR_MANIFEST, "user@r", "a", "12"},
    /* wrong */
    {GET("/v2/a/blobs/latest?ns=r"), 400, HF_MIRROR_BLOB, "r", "a", "latest"},
    {GET("/v2/../manifests/12?ns=r"), 400, HF_MIRROR_MANIFEST, "r", "", ""},
    {GET("/v2/a//b/manifests/12?ns=r"), 400, HF_MIRROR_MANIFEST, "r", "", ""},
    {GET("/v2/A/manifests/12?ns=r"), 400, HF_MIRROR_MANIFEST, "r", "", ""},
    {GET("/v2/a%2f..%2fb/manifests/12?ns=r"), 400, HF_MIRROR_MANIFEST, "r", "", ""},
    {GET("/v2/a/manifests/..?ns=r"), 400, HF_MIRROR_MANIFEST, "r", "a", ".."},
    {GET("/v2/a/manifests/a%16b?ns=r"), 400, HF_MIRROR_MANIFEST, "r", "a", "a\x16"},
    {GET("/v2/a/manifests/a?ns=r%16"), 404, HF_MIRROR_MANIFEST, "r\x16", "a", "a"},
    {GET("/v2/a/manifests/a%00b?ns=r"), 400, HF_MIRROR_MANIFEST, "r", "", ""},
    {GET("/v2/a/manifests/a%0d%0ab?ns=r"), 400, HF_MIRROR_MANIFEST, "r", "a", "a\r\nb"},
    {GET("/v2/a/manifests/12?ns=%2"), 400, HF_MIRROR_PING, "", "", ""},
    {GET("/v2/a/referrers/" DIGEST "?ns=r&artifactType=a%0d%0ab"), 400, HF_MIRROR_PING, "r", "", ""},
    {"GET /v2/\r\n\r\n", 400, HF_MIRROR_PING, "", "", ""},
    {"GET /v2/ HTTP/2\r\n\r\n", 400, HF_MIRROR_PING, "", "", ""},
    {"GET /v2/ HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 400, HF_MIRROR_PING, "", "", ""},
    {"GET /v2/ HTTP/1.1\r\nAccept: a\x01b\r\n\r\n", 400, HF_MIRROR_PING, "", "", ""},
    {"\r\n\r\n", 400, HF_MIRROR_PING, "", "", ""},
    {"PUT /v2/a/manifests/12?ns=r HTTP/1.1\r\n\r\n", 405, HF_MIRROR_PING, "", "", ""},
    {"DELETE /v2/a/blobs/" DIGEST "?ns=r HTTP/1.1\r\n\r\n", 405, HF_MIRROR_PING, "", "", ""},
};

START_TEST(parse)
{
    struct hf_mirror_request request;
    int status = hf_mirror_request_parse(hf_view_of(requests[_i].head), &request);

    ck_assert_msg(status == requests[_i].want, "%s: %d", requests[_i].head, status);
    if (status != 0)
        return;
    ck_assert_int_eq(request.kind, requests[_i].kind);
    ck_assert_str_eq(request.registry, requests[_i].registry);
    ck_assert_str_eq(request.name, requests[_i].name);
    ck_assert_str_eq(request.reference, requests[_i].reference);
    ck_assert_int_eq(request.head, strncmp(requests[_i].head, "HEAD", 4) == 0);
    ck_assert_int_eq(request.sha256[0] != '\0', strncmp(request.reference, "sha256:", 7) == 0);
}
END_TEST

static const struct {
    const char *range;
    bool ranged;
    uint64_t from, to;
} ranges[] = {
    {"bytes=0-", true, 0, UINT64_MAX},
    {"bytes=5-9", true, 5, 9},
    {"bytes=5-5", true, 5, 5},
    {"bytes=-5", false, 0, 0},
    {"bytes=9-5", false, 0, 0},
    {"bytes=1-2,4-5", false, 0, 0},
    {"lines=1-2", false, 0, 0},
    {"bytes=x-", false, 0, 0},
    {"bytes", false, 0, 0},
    {"bytes=99999999999999999999-", false, 0, 0},
};

START_TEST(range)
{
    struct hf_mirror_request request;
    char head[256];

    (void)snprintf(head, sizeof(head), "GET /v2/ HTTP/1.1\r\nrange: %s\r\n\r\n", ranges[_i].range);
    ck_assert_int_eq(hf_mirror_request_parse(hf_view_of(head), &request), 0);
    ck_assert_msg(request.ranged == ranges[_i].ranged, "%s", ranges[_i].range);
    if (request.ranged) {
        ck_assert_uint_eq(request.from, ranges[_i].from);
        ck_assert_uint_eq(request.to, ranges[_i].to);
    }
}
END_TEST

START_TEST(fields)
{
    struct hf_mirror_request request;
    char head[4096];
    const char *text = "GET /v2/ HTTP/1.1\r\nACCEPT: a/b\r\nauthorization:  Basic eDp5 \r\nAccept: c/d, e/f\r\n\r\n";

    ck_assert_int_eq(hf_mirror_request_parse(hf_view_of(text), &request), 0);
    ck_assert_str_eq(request.accept, "a/b, c/d, e/f");
    ck_assert_str_eq(request.authorization, "Basic eDp5");
    (void)snprintf(head, sizeof(head), "GET /v2/ HTTP/1.1\r\nAuthorization: %0300d\r\n\r\n", 7);
    ck_assert_int_eq(hf_mirror_request_parse(hf_view_of(head), &request), 400);
    (void)snprintf(head, sizeof(head), "GET /v2/ HTTP/1.1\r\nAccept: %02047d\r\n\r\n", 7);
    ck_assert_int_eq(hf_mirror_request_parse(hf_view_of(head), &request), 400);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, parse, 0, HF_LEN(requests));
    tcase_add_loop_test(tc, range, 0, HF_LEN(ranges));
    tcase_add_test(tc, fields);
}

HF_TEST_MAIN("mirror/request", cases)
