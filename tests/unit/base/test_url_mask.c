/* SPDX-License-Identifier: Apache-2.0 */
#include "base/net/url_mask.h"

#include "base/macros.h"
#include "support/check_main.h"

static const struct {
    const char *url, *want;
} masks[] = {
    {"https://u:p@a.example/x?token=1#f", "https://a.example/x?..."},
    {"https://a.example:8443/bucket/app?X-Amz-Signature=5ec2e7", "https://a.example:8443/bucket/app?..."},
    {"http://a.example", "http://a.example"},
    {"https://a.example/x#frag?ment", "https://a.example/x"},
    {"https://u:p@ss@a.example/x@y", "https://a.example/x@y"},
    {"https://u:p\\@a.example/x", "https://a.example/x"},
    {"https://[::1]:9/x?q", "https://[::1]:9/x?..."},
    {"https://a.example?q", "https://a.example?..."},
    {"https://user:secret@", "https://"},
    {"file:///srv/app?x", "file:///srv/app?..."},
    {"no url?secret", "no?url?..."},
    {"no url u:p@host", ""},
    {"no url#secret", "no?url"},
    {"x?https://u:p@h", "x?..."},
    {"http://a.example/\x1b[31m\n\"", "http://a.example/?[31m?\""},
    {"", ""},
};

START_TEST(mask)
{
    char text[64];

    ck_assert_str_eq(hf_url_mask(masks[_i].url, text, sizeof(text)), masks[_i].want);
}
END_TEST

START_TEST(cut)
{
    char text[12];

    ck_assert_str_eq(hf_url_mask("https://u:p@a.example/x?q", text, sizeof(text)), "https://a.e");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, mask, 0, (int)HF_LEN(masks));
    tcase_add_test(tc, cut);
}

HF_TEST_MAIN("base/url_mask", cases)
