/* SPDX-License-Identifier: Apache-2.0 */
/* Texts for people that are too long: they end behind a word, and show that they were cut. */
#include "base/encoding/cut.h"

#include <string.h>

#include "support/check_main.h"

static const struct {
    const char *text, *want; /* with at most 24 bytes */
} cases_cut[] = {
    {"", ""},
    {"exactly twenty-four char", "exactly twenty-four char"},
    {"status 503, expected 200 or 204", "status 503, expected..."},
    {"User \"system:serviceaccount:x\" may not", "User \"system:servicea..."},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaa..."},
    {"aaaaaaaaaaaaaaaaaaaa\xc3\xa4\xc3\xa4\xc3\xa4", "aaaaaaaaaaaaaaaaaaaa..."},
};

START_TEST(ends_behind_a_word)
{
    const char *got = HF_CUT(24, cases_cut[_i].text);

    ck_assert_str_eq(got, cases_cut[_i].want);
    ck_assert_uint_le(strlen(got), 24);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, ends_behind_a_word, 0, sizeof(cases_cut) / sizeof(cases_cut[0]));
}

HF_TEST_MAIN("base/cut", cases)
