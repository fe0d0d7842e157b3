/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "oci/registry/challenge.h"
#include "oci/registry/reference.h"
#include "oci/registry/token.h"
#include "support/check_main.h"

#define HUB                                                                                                            \
    "docker."                                                                                                          \
    "io"
#define D "sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

static const struct {
    const char *text;
    int r;
    const char *host, *repository, *tag, *digest;
} references[] = {
    {"registry.example.com/app:1.4", 0, "registry.example.com", "app", "1.4", ""},
    {"localhost:5000/a/b_c__d-e.f:V_1", 0, "localhost:5000", "a/b_c__d-e.f", "V_1", ""},
    {"localhost/app:1", 0, "localhost", "app", "1", ""},
    {"[::1]:5000/app@" D, 0, "[::1]:5000", "app", "", D},
    {"r.example/app:1@" D, 0, "r.example", "app", "1", D},
    {"oci://registry/app@" D, 0, "registry", "app", "", D},
    {HUB "/debian:12", 0, HUB, "library/debian", "12", ""},
    {HUB "/team/app@" D, 0, HUB, "team/app", "", D},
    {"oci:///app@" D, -EINVAL, "", "", "", ""},
    {"oci://a b/app@" D, -EINVAL, "", "", "", ""},
    {"debian:12", -EINVAL, "", "", "", ""},
    {"library/debian:12", -EINVAL, "", "", "", ""},
    {"r.example/app", -EINVAL, "", "", "", ""},
    {"r.example/App:1", -EINVAL, "", "", "", ""},
    {"r.example/:1", -EINVAL, "", "", "", ""},
    {"r.example//a:1", -EINVAL, "", "", "", ""},
    {"r.example/a/:1", -EINVAL, "", "", "", ""},
    {"r.example/../a:1", -EINVAL, "", "", "", ""},
    {"r.example/a/..:1", -EINVAL, "", "", "", ""},
    {"r.example/a?b:1", -EINVAL, "", "", "", ""},
    {"r.example/a:.1", -EINVAL, "", "", "", ""},
    {"r.example/a:1/2", -EINVAL, "", "", "", ""},
    {"r.example/a:", -EINVAL, "", "", "", ""},
    {"r.example/a@sha256:12", -EINVAL, "", "", "", ""},
    {"r.example/a@", -EINVAL, "", "", "", ""},
    {"user@r.example/a:1", -EINVAL, "", "", "", ""},
    {"", -EINVAL, "", "", "", ""},
};

START_TEST(reference)
{
    struct hf_oci_reference got = {.host = ""};
    struct hf_err err = HF_ERR_INIT;
    int r = hf_oci_reference_parse(references[_i].text, &got, &err);

    ck_assert_msg(r == references[_i].r, "%s: %d", references[_i].text, r);
    ck_assert_str_eq(got.host, references[_i].host);
    ck_assert_str_eq(got.repository, references[_i].repository);
    ck_assert_str_eq(got.tag, references[_i].tag);
    ck_assert_str_eq(got.digest, references[_i].digest);
    ck_assert((r < 0) == (err.cause[0] != '\0'));
}
END_TEST

static const struct {
    const char *url, *blob; /* NULL: it is none */
    const char *repository;
} blobs[] = {
    {"oci://r.example:5000/a/b@" D, "https://r.example:5000/v2/a/b/blobs/" D, "a/b"},
    {"oci://127.0.0.1:5000/a@" D, "http://127.0.0.1:5000/v2/a/blobs/" D, "a"},
    {"oci://" HUB "/a@" D, "https://registry-1." HUB "/v2/library/a/blobs/" D, "library/a"},
    {"oci://[::1]:5000/a@" D, "http://[::1]:5000/v2/a/blobs/" D, "a"},
    {"https://r.example/a@" D, NULL, ""},
    {"oci://r.example/a", NULL, ""},
};

START_TEST(blob_urls)
{
    char *url = NULL, name[HF_OCI_REPOSITORY];

    ck_assert_int_eq(hf_oci_blob_url(blobs[_i].url, &url), blobs[_i].blob != NULL);
    if (url != NULL) {
        ck_assert_str_eq(url, blobs[_i].blob);
        ck_assert(hf_oci_blob_repository(url, name));
        ck_assert_str_eq(name, blobs[_i].repository);
    }
    free(url);
    ck_assert(!hf_oci_blob_repository("https://r.example/v2/blobs/" D, name));
    ck_assert(!hf_oci_blob_repository("https://r.example/v2/A/blobs/" D, name));
    ck_assert(!hf_oci_blob_repository("https://r.example/v2/a&scope=b/blobs/" D, name));
    ck_assert(!hf_oci_blob_repository("https://r.example/app", name));
}
END_TEST

/* Where a registry may send to for a token, and what is shown there. */
static const struct {
    const char *registry, *realm;
    int r;
    bool basic;
} services[] = {
    {"https://r.example/v2/", "https://r.example/token", 1, true},
    {"https://r.example/v2/", "https://auth.example/token", 1, true},
    {"https://r.example/v2/", "http://r.example/token", -EPROTO, false},
    {"https://r.example/v2/", "https://127.0.0.1:9/token", -EPROTO, false},
    {"https://r.example/v2/", "https://localhost/token", -EPROTO, false},
    {"https://r.example/v2/", "file:///etc/passwd", -EPROTO, false},
    {"https://r.example/v2/", "token", -EPROTO, false},
    {"http://10.0.0.2/v2/", "http://10.0.0.2:5001/token", 1, true},
    {"http://10.0.0.2/v2/", "http://10.0.0.3/token", 1, false},
    {"http://10.0.0.2/v2/", "https://auth.example/token", 1, false},
    {"http://10.0.0.2/v2/", "http://127.0.0.1/token", -EPROTO, false},
    {"http://127.0.0.1:5000/v2/", "http://127.0.0.1:5001/token", 1, true},
    {"http://127.0.0.1:5000/v2/", "https://auth.example/token", 1, false},
};

START_TEST(token_services)
{
    struct hf_oci_token_ask ask = {.url = NULL};
    char challenge[200];

    (void)snprintf(challenge, sizeof(challenge), "Bearer realm=\"%s\",service=\"s\",scope=\"registry:catalog:*\"",
                   services[_i].realm);
    int r = hf_oci_token_ask(services[_i].registry, "a/b", challenge, &ask, NULL);
    ck_assert_msg(r == services[_i].r, "%s to %s: %d", services[_i].registry, services[_i].realm, r);
    if (r == 1) {
        ck_assert(strstr(ask.url, "?service=s&scope=repository%3Aa%2Fb%3Apull") != NULL &&
                  strstr(ask.url, "catalog") == NULL);
        ck_assert((hf_oci_token_credential(&ask, "Authorization: Basic YTpi") != NULL) == services[_i].basic);
        ck_assert_ptr_null(hf_oci_token_credential(&ask, "Authorization: Bearer of-the-node"));
        ck_assert_ptr_null(hf_oci_token_credential(&ask, "X-Api-Key: k"));
    }
    free(ask.url);
    ck_assert_int_eq(hf_oci_token_ask(services[_i].registry, "a/b", "Basic realm=\"r\"", &ask, NULL), 0);
    ck_assert_int_eq(hf_oci_token_ask(services[_i].registry, "a/b", "", &ask, NULL), 0);
}
END_TEST

START_TEST(token_answers)
{
    struct hf_http_response response = {.status = 200};
    uint64_t seconds = 9;
    char *line = NULL;

    ck_assert_int_eq(hf_oci_token_take(&response, HF_VIEW("{\"token\":\"t\"}"), &line, &seconds, NULL), 0);
    ck_assert_str_eq(line, "Authorization: Bearer t");
    ck_assert_uint_eq(seconds, 60);
    free(line);
    ck_assert_int_eq(hf_oci_token_take(&response, HF_VIEW("{}"), &line, &seconds, NULL), -EBADMSG);
    response.status = 302;
    ck_assert_int_eq(hf_oci_token_take(&response, HF_VIEW("{\"token\":\"t\"}"), &line, &seconds, NULL), -EACCES);
    response.status = 503;
    ck_assert_int_eq(hf_oci_token_take(&response, HF_VIEW(""), &line, &seconds, NULL), -EAGAIN);
}
END_TEST

START_TEST(origin)
{
    struct hf_oci_reference at = {.host = "r.example:5000"};
    char text[300];

    ck_assert_str_eq(hf_oci_reference_origin(&at, false, text, sizeof(text)), "https://r.example:5000");
    ck_assert_str_eq(hf_oci_reference_origin(&at, true, text, sizeof(text)), "http://r.example:5000");
}
END_TEST

static const struct {
    const char *text;
    const char *url; /* NULL: refused; "": Basic */
} challenges[] = {
    {"Bearer realm=\"https://t.example/token\",service=\"r.example\",scope=\"repository:a/b:pull\"",
     "https://t.example/token?service=r.example&scope=repository%3Aa%2Fb%3Apull"},
    {"bearer scope=\"a b\" , realm=https://t.example/?x=1", "https://t.example/?x=1&scope=a%20b"},
    {"Bearer realm=\"https://t.example/\\\"\",error=\"invalid_token\"", "https://t.example/\""},
    {"Bearer realm=\"https://t.example/t\",service=\"a&b c\"", "https://t.example/t?service=a%26b%20c"},
    {"Bearer error=\"x\" ,realm=\"r\",", "r"},
    {"Bearer realm=\"\"", NULL},
    {"Bearer realm=\"https://a\\", NULL},
    {"Bearer realm", NULL},
    {"Basic realm=\"r\"", ""},
    {"Basic", ""},
    {"Basically", NULL},
    {"Bearer ", NULL},
    {"Bearer realm=\"https://t.example", NULL},
    {"Bearer realm=\"a\r\nHost: x\"", NULL},
    {"Bearer service=\"r\"", NULL},
    {"Bearer =\"r\"", NULL},
    {"Digest realm=\"r\"", NULL},
    {"", NULL},
};

START_TEST(challenge)
{
    struct hf_oci_challenge got;
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(4096);
    int r = hf_oci_challenge_parse(challenges[_i].text, &got);

    ck_assert_msg(r == (challenges[_i].url == NULL ? -EBADMSG : 0), "%s: %d", challenges[_i].text, r);
    if (r < 0)
        return;
    ck_assert(got.bearer == (challenges[_i].url[0] != '\0'));
    if (!got.bearer)
        return;
    ck_assert_int_eq(hf_oci_challenge_url(&got, &url), 0);
    ck_assert_str_eq(hf_buf_str(&url), challenges[_i].url);
}
END_TEST

START_TEST(tokens)
{
    char *token = NULL;
    uint64_t seconds = 0;

    ck_assert_int_eq(
        hf_oci_token_parse(HF_VIEW("{\"access_token\":\"a.b-c\",\"expires_in\":300}"), &token, &seconds, NULL), 0);
    ck_assert_str_eq(token, "a.b-c");
    ck_assert_uint_eq(seconds, 300);
    free(token);
    ck_assert_int_eq(hf_oci_token_parse(HF_VIEW("{\"token\":\"a\\r\\nb\"}"), &token, &seconds, NULL), -EBADMSG);
    ck_assert_int_eq(hf_oci_token_parse(HF_VIEW("{\"token\":\"\"}"), &token, &seconds, NULL), -EBADMSG);
    ck_assert_int_eq(hf_oci_token_parse(HF_VIEW("[]"), &token, &seconds, NULL), -EBADMSG);
    ck_assert_int_eq(hf_oci_token_parse(HF_VIEW("<html>"), &token, &seconds, NULL), -EBADMSG);
}
END_TEST

#define LOGINS                                                                                                         \
    "{\"auths\":{\"r.example\":{\"auth\":\"dXNlcjpzZWNyZXQ=\"},\"https://s.example:5000/v1/\":{\"username\":\"u\","    \
    "\"password\":\"p\"},\"bad.example\":{\"auth\":\"dXNlcg==\"},\"none.example\":{}},\"credsStore\":\"pass\"}"

static const struct {
    const char *host, *login;
    int r;
} logins[] = {
    {"r.example", "user:secret", 1},
    {"s.example:5000", "u:p", 1},
    {"r.example.evil", "", 0},
    {"example", "", 0},
    {"s.example", "", 0},
    {"none.example", "", 0},
    {"bad.example", NULL, -EBADMSG},
};

START_TEST(login)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(4096);
    struct hf_err err = HF_ERR_INIT;
    int r = hf_oci_login_find(HF_VIEW(LOGINS), logins[_i].host, &out, &err);

    ck_assert_msg(r == logins[_i].r, "%s: %d", logins[_i].host, r);
    if (r >= 0)
        ck_assert_str_eq(hf_buf_str(&out), logins[_i].login);
    ck_assert_ptr_null(strstr(err.cause, "dXNl")); /* no secret in a message */
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, reference, 0, (int)HF_LEN(references));
    tcase_add_test(tc, origin);
    tcase_add_loop_test(tc, blob_urls, 0, HF_LEN(blobs));
    tcase_add_loop_test(tc, token_services, 0, HF_LEN(services));
    tcase_add_test(tc, token_answers);
    tcase_add_loop_test(tc, challenge, 0, (int)HF_LEN(challenges));
    tcase_add_test(tc, tokens);
    tcase_add_loop_test(tc, login, 0, (int)HF_LEN(logins));
}

HF_TEST_MAIN("oci/registry", cases)
