/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "oci/registry/challenge.h"
#include "oci/registry/reference.h"
#include "support/check_main.h"

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

    ck_assert_int_eq(hf_oci_token_parse(HF_VIEW("{\"access_token\":\"a.b-c\",\"expires_in\":300}"), &token, NULL), 0);
    ck_assert_str_eq(token, "a.b-c");
    free(token);
    ck_assert_int_eq(hf_oci_token_parse(HF_VIEW("{\"token\":\"a\\r\\nb\"}"), &token, NULL), -EBADMSG);
    ck_assert_int_eq(hf_oci_token_parse(HF_VIEW("{\"token\":\"\"}"), &token, NULL), -EBADMSG);
    ck_assert_int_eq(hf_oci_token_parse(HF_VIEW("[]"), &token, NULL), -EBADMSG);
    ck_assert_int_eq(hf_oci_token_parse(HF_VIEW("<html>"), &token, NULL), -EBADMSG);
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
    tcase_add_loop_test(tc, challenge, 0, (int)HF_LEN(challenges));
    tcase_add_test(tc, tokens);
    tcase_add_loop_test(tc, login, 0, (int)HF_LEN(logins));
}

HF_TEST_MAIN("oci/registry", cases)
