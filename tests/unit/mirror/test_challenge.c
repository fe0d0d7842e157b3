/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror/challenge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

static const struct {
    const char *text;
    int want;
    const char *url;
} challenges[] = {
    {"Bearer realm=\"https://auth.example/token\",service=\"registry.example\",scope=\"repository:x:pull,push\"", 0,
     "https://auth.example/token?service=registry.example&scope=repository%3Aa%2Fb-c_d%3Apull"},
    {"bearer service=a, realm=https://a/t", 0, "https://a/t?service=a&scope=repository%3Aa%2Fb-c_d%3Apull"},
    {"Bearer realm=\"https://a/t?x=1\"", 0, "https://a/t?x=1&scope=repository%3Aa%2Fb-c_d%3Apull"},
    {"Bearer realm=\"https://a/\\\"t\"", 0, "https://a/\"t?scope=repository%3Aa%2Fb-c_d%3Apull"},
    {"Bearer realm=\"https://a/t\",service=\"a&b c\"", 0,
     "https://a/t?service=a%26b%20c&scope=repository%3Aa%2Fb-c_d%3Apull"},
    {"Bearer error=\"x\" ,realm=\"r\",", 0, "r?scope=repository%3Aa%2Fb-c_d%3Apull"},
    {"", -EBADMSG, NULL},
    {"Basic realm=\"x\"", -EBADMSG, NULL},
    {"Bearer", -EBADMSG, NULL},
    {"Bearer service=\"x\"", -EBADMSG, NULL},
    {"Bearer realm=\"\"", -EBADMSG, NULL},
    {"Bearer realm=\"https://a", -EBADMSG, NULL},
    {"Bearer realm=\"https://a\\", -EBADMSG, NULL},
    {"Bearer realm=\"a\x01\"", -EBADMSG, NULL},
    {"Bearer realm", -EBADMSG, NULL},
    {"Bearer =x", -EBADMSG, NULL},
};

START_TEST(parse)
{
    struct hf_mirror_challenge challenge;
    int r = hf_mirror_challenge_parse(challenges[_i].text, &challenge);
    char *url = r == 0 ? hf_mirror_token_url(&challenge, "a/b-c_d") : NULL;

    ck_assert_msg(r == challenges[_i].want, "%s: %d", challenges[_i].text, r);
    if (url != NULL)
        ck_assert_str_eq(url, challenges[_i].url);
    free(url);
}
END_TEST

START_TEST(too_long)
{
    struct hf_mirror_challenge challenge;
    char text[3000] = "Bearer realm=\"";

    memset(text + strlen(text), 'x', 2000);
    ck_assert_int_eq(hf_mirror_challenge_parse(text, &challenge), -E2BIG);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, parse, 0, HF_LEN(challenges));
    tcase_add_test(tc, too_long);
}

HF_TEST_MAIN("mirror/challenge", cases)
